import { ClozeError } from "../../base/errors.ts";
import { quote } from "../../base/quote.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import type { Control } from "../run/control.ts";
import { logSumExp } from "../run/softmax.ts";
import { type Answers, makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { TEXT_FORMS } from "../run/text-or-pair.ts";
import { requireTopK, topIndices, USUAL_TOP_K } from "../run/top-k.ts";
import type { MaskedInput, MaskedLanguageModel } from "./masked-language-model.ts";
import { windowAround } from "./window.ts";

/** A token that may stand behind a mask: the fields of Hugging Face's fill-mask pipeline, and where the mask is. */
export interface MaskFill {
  /** Its probability among the whole vocabulary. */
  readonly score: number;
  readonly token: number;
  readonly token_str: string;
  /**
   * The whole text, as decoded, with the token in the place of the mask. Special tokens are left out if the text has
   * one mask; with several, all of them stay, as in transformers, since the other masks are among them.
   */
  readonly sequence: string;
  /** Where the mask stands in the text: `text.slice(start, end)` is "[MASK]", in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

export interface FillMaskOptions {
  /** Candidates for each mask, best first. Default 5. */
  readonly top_k?: number;
  /** The only words that are candidates; their scores remain those among the whole vocabulary. */
  readonly targets?: string | readonly string[];
}

/** The candidates for one mask are a list; those of a text with several masks are a list of such lists. */
export type FillMaskPipeline = TaskPipeline<string, MaskFill[] | MaskFill[][], FillMaskOptions>;

/**
 *     const fill = fillMaskPipeline(model);
 *     await fill("Paris is the [MASK] of France."); // [{ score: 0.97, token_str: "capital", ... }, ...]
 */
export function fillMaskPipeline(model: MaskedLanguageModel): FillMaskPipeline {
  return makePipeline<string, MaskFill[] | MaskFill[][], FillMaskOptions>(
    { ...TEXT_FORMS.text, options: { top_k: true, targets: true } },
    async (texts, options) => {
      const { results, truncated } = await fillMasks(model, texts, options);
      return { results: results.map((masks) => (masks.length === 1 ? masks[0] : masks)), truncated };
    },
    () => model.dispose(),
  );
}

/**
 * The candidates for each mask of each text. A text may have any number of masks; each is filled on its own, while the
 * others stay masks. Of a text that is too long the model sees a window around its masks. Throws MASK_MISSING for a
 * text without a mask, TRUNCATION_IMPOSSIBLE for masks too far apart for one window, TARGET_UNKNOWN, OPTION_INVALID,
 * and as `Predictor.run` does.
 */
export async function fillMasks(
  model: MaskedLanguageModel,
  texts: readonly string[],
  { top_k = USUAL_TOP_K, targets, ...control }: FillMaskOptions & Control = {},
): Promise<Answers<MaskFill[][]>> {
  requireTopK(top_k);
  const { tokenizer, maxLength } = model;
  const wanted = targets === undefined ? undefined : targetIds(tokenizer, targets);
  const encodings = texts.map((text) => tokenizer.encode(text));
  const masks = encodings.map(({ ids }, i) => masksOf(ids, tokenizer, texts[i]));
  const results = await model.predict(
    encodings.map((encoding, i) => visiblePart(encoding, masks[i], maxLength)),
    (logits, i, nth) => {
      const total = logSumExp(logits);
      const best = topIndices(logits, top_k, wanted && ((token) => wanted.has(token)));
      const { ids, offsets } = encodings[i];
      const mask = masks[i][nth];
      return best.map((token) => ({
        score: Math.exp(logits[token] - total),
        token,
        token_str: tokenizer.decode([token]),
        sequence: filled(tokenizer, ids.with(mask, token), masks[i].length === 1),
        start: offsets[2 * mask],
        end: offsets[2 * mask + 1],
      }));
    },
    control,
  );
  return { results, truncated: encodings.filter(({ length }) => length > maxLength).length };
}

/** As transformers decodes: padding goes whatever else stays. */
function filled(tokenizer: BertTokenizer, ids: Int32Array, skipSpecialTokens: boolean): string {
  return tokenizer.decode(
    ids.filter((id) => id !== tokenizer.specialIds.pad),
    { skipSpecialTokens },
  );
}

function masksOf(ids: Int32Array, { specialIds, spec }: BertTokenizer, text: string): number[] {
  const masks = [...ids.keys()].filter((i) => ids[i] === specialIds.mask);
  if (masks.length > 0) return masks;
  const { mask } = spec.specialTokens;
  throw new ClozeError("MASK_MISSING", {
    problem: "a text has no mask to fill",
    expected: `${mask} in the text`,
    received: quote(text),
    cure: `Put ${mask} where a word is wanted.`,
  });
}

/** The text, or where it is too long the part around its masks, between [CLS] and [SEP] either way. */
function visiblePart(encoding: Encoding, masks: readonly number[], maxLength: number): MaskedInput {
  const { ids, typeIds, length } = encoding;
  if (length <= maxLength) return { ids, typeIds, positions: masks };
  const [first, last, room] = [masks[0] - 1, masks[masks.length - 1] - 1, maxLength - 2]; // without [CLS]
  if (last - first >= room) {
    throw new ClozeError("TRUNCATION_IMPOSSIBLE", {
      problem: "the masks of a text are too far apart: the model cannot see all of them at once",
      expected: `at most ${room} tokens from the first to the last`,
      received: String(last - first + 1),
      cure: "Split the text.",
    });
  }
  const [start, end] = windowAround(length - 2, first, last, room);
  const seen = Int32Array.of(ids[0], ...ids.subarray(1 + start, 1 + end), ids[length - 1]);
  return { ids: seen, typeIds: typeIds.subarray(0, maxLength), positions: masks.map((mask) => mask - start) };
}

/**
 * The tokens of target words. transformers takes the first piece of a word that is no single token, with a warning; its
 * score would be that of another word, so here it is an error.
 */
function targetIds(tokenizer: BertTokenizer, targets: string | readonly string[]): ReadonlySet<number> {
  const words = typeof targets === "string" ? [targets] : targets;
  if (words.length === 0) {
    throw new ClozeError("OPTION_INVALID", { problem: "targets is empty", expected: "one word or more" });
  }
  return new Set(words.map((word) => targetId(tokenizer, word)));
}

function targetId(tokenizer: BertTokenizer, word: string): number {
  const known = tokenizer.vocabulary.idOf(word);
  if (known !== undefined) return known;
  const ids = tokenizer.ids(word);
  if (ids.length === 1 && ids[0] !== tokenizer.specialIds.unk) return ids[0];
  throw new ClozeError("TARGET_UNKNOWN", {
    problem: `the target ${JSON.stringify(word)} is no single token of the model's vocabulary`,
    received: Array.from(ids, (id) => tokenizer.vocabulary.tokenOf(id)).join(" ") || "no token at all",
    cure: "Name words that the vocabulary has whole; whole sentences compare by pseudo-log-likelihood.",
  });
}
