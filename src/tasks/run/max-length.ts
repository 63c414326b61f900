import type { BertConfig } from "../../bert/config.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";

interface Model {
  readonly tokenizer: Pick<BertTokenizer, "spec">;
  readonly config: Pick<BertConfig, "maxPositions">;
}

/**
 * Tokens of a sequence at most, special ones included: what the tokenizer keeps of the training, and no more than the model
 * has positions for, since files of others may say more.
 */
export function maxLengthOf({ tokenizer, config }: Model): number {
  return Math.min(tokenizer.spec.maxLength, config.maxPositions);
}
