import { ClozeError } from "../../base/errors.ts";
import { type ReadDocumentsOptions, readDocuments } from "../../corpus/read-documents.node.ts";
import { maskableVocabulary } from "../../data/masking.ts";
import {
  allInstances,
  type InstanceOptions,
  type InstanceVocabulary,
  type MaskedSequence,
} from "../../data/pretraining-batches.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { countMasked } from "./pretraining.ts";

/** What the making of instances has to know of a tokenizer. */
export function instanceVocabulary({ vocabulary, specialIds, spec }: BertTokenizer): InstanceVocabulary {
  return { maskable: maskableVocabulary(vocabulary.tokens, specialIds, spec.continuingPrefix), specialIds };
}

/** Held-out text is always masked alike, whatever the training's own seed, so that trainings can be compared. */
const SEED = 0;

/**
 * Reads text to measure a model on, and hides tokens of it. Throws the errors of `readDocuments`, CORPUS_TOO_SMALL, and
 * TEXT_EMPTY where no token can be hidden since the vocabulary knows none.
 */
export async function readHeldOut(
  files: readonly string[],
  tokenizer: BertTokenizer,
  { pairing, maxLength, mask }: Pick<InstanceOptions, "pairing" | "maxLength" | "mask">,
  reading: ReadDocumentsOptions = {},
): Promise<MaskedSequence[]> {
  const documents = await readDocuments(files, tokenizer, reading);
  const options = { pairing, maxLength, mask, seed: SEED };
  const all = makeInstances(files, () => allInstances(documents, instanceVocabulary(tokenizer), options));
  const sequences = firstTokens(all, reading.maxTokens ?? Number.POSITIVE_INFINITY);
  if (countMasked(sequences) > 0) return sequences;
  throw new ClozeError("TEXT_EMPTY", {
    problem: `${files.join(", ")}: the vocabulary knows none of the tokens, so none can be hidden and asked for`,
    cure: "Check that the vocabulary belongs to this language and to the files.",
  });
}

/** The sequences up to the one that reaches so many tokens. */
function firstTokens(sequences: readonly MaskedSequence[], maxTokens: number): MaskedSequence[] {
  let tokens = 0;
  const end = sequences.findIndex(({ ids }) => {
    tokens += ids.length;
    return tokens >= maxTokens;
  });
  return end < 0 ? [...sequences] : sequences.slice(0, end + 1);
}

/** Says which text it is that is too small. */
function makeInstances<T>(files: readonly string[], make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ClozeError && error.code === "CORPUS_TOO_SMALL")) throw error;
    throw new ClozeError(error.code, { ...error, problem: `held-out ${files.join(", ")}: ${error.problem}` });
  }
}
