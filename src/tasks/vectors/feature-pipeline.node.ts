import { ClozeError } from "../../base/errors.ts";
import { requireCall } from "../run/call-form.ts";
import type { Control } from "../run/control.ts";
import { isList } from "../run/task-pipeline.ts";
import { TEXT_FORMS, type TextOrPair, toTextInput } from "../run/text-or-pair.ts";
import type { FeatureExtractor, FeatureOptions } from "./feature-extractor.node.ts";
import type { PooledFeatures, TokenFeatures } from "./features.ts";
import { isPooling, POOLINGS, type Pooling } from "./pooling.ts";

export type FeatureInput = TextOrPair;

type TokenOptions = Control & FeatureOptions & { readonly pooling?: "none" };
type PooledOptions = Control & FeatureOptions & { readonly pooling: Pooling };

/**
 * Features of texts, as transformers.js gives them but for two things. Without pooling, several texts give a tensor
 * each, the same that each gives alone, where transformers.js pads them all into one. And `layers` may be any, where
 * transformers.js has the last one.
 *
 * - `pooling`: `none` (the default) gives a row a token; `cls`, `mean` and `max` a row a text, over all of its tokens.
 * - `layers`: "-1" (the default), "-4..-1" or a list; 0 is the embeddings; several stand one beside the other in a row.
 * - `normalize`: each row gets the Euclidean length 1.
 * - `maxLength`: longer texts are cut, and counted in `truncated`.
 */
export interface FeatureExtractionPipeline {
  /** [1, tokens, width] */
  (text: FeatureInput, options?: TokenOptions): Promise<TokenFeatures>;
  /** One for each text. */
  (texts: readonly FeatureInput[], options?: TokenOptions): Promise<TokenFeatures[]>;
  /** [texts, width] */
  (texts: FeatureInput | readonly FeatureInput[], options: PooledOptions): Promise<PooledFeatures>;
  /** Frees the model; the pipeline cannot be called afterwards. */
  dispose(): Promise<void>;
}

/**
 *     const extract = featureExtractionPipeline(extractor);
 *     await extract(["A sentence", "Another one"], { pooling: "mean", normalize: true }); // dims [2, width]
 *
 * Throws the errors of the extractor.
 */
export function featureExtractionPipeline(extractor: FeatureExtractor): FeatureExtractionPipeline {
  function extract(text: FeatureInput, options?: TokenOptions): Promise<TokenFeatures>;
  function extract(texts: readonly FeatureInput[], options?: TokenOptions): Promise<TokenFeatures[]>;
  function extract(texts: FeatureInput | readonly FeatureInput[], options: PooledOptions): Promise<PooledFeatures>;
  async function extract(input: FeatureInput | readonly FeatureInput[], given: TokenOptions | PooledOptions = {}) {
    const known = { layers: true, normalize: true, maxLength: true, pooling: true } as const;
    requireCall({ ...TEXT_FORMS.either, options: known }, input, given);
    const { signal, onProgress, pooling = "none", ...options } = given;
    const single = !isList(input);
    const texts = (single ? [input] : input).map(toTextInput);
    const control = { signal, onProgress };
    if (pooling === "none") {
      const tensors = await extractor.tokenFeatures(texts, options, control);
      return single ? tensors[0] : tensors;
    }
    if (isPooling(pooling)) return extractor.pooledFeatures(texts, { ...options, pooling }, control);
    throw new ClozeError("OPTION_INVALID", {
      problem: "there is no such pooling",
      expected: ["none", ...POOLINGS].join(", "),
      received: String(pooling),
    });
  }
  return Object.assign(extract, { dispose: () => extractor.dispose() });
}
