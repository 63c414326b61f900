import { z } from "zod";
import type { AddedToken } from "./spec.ts";

/** An added token as tokenizer.json and tokenizer_config.json write it. */
export const AddedTokenSchema = z.object({
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
});

export function fromFile(token: z.output<typeof AddedTokenSchema>): AddedToken {
  return {
    content: token.content,
    singleWord: token.single_word,
    stripLeft: token.lstrip,
    stripRight: token.rstrip,
    normalized: token.normalized ?? !token.special,
    special: token.special,
  };
}

export function toFile(token: AddedToken): Required<z.input<typeof AddedTokenSchema>> {
  return {
    content: token.content,
    single_word: token.singleWord,
    lstrip: token.stripLeft,
    rstrip: token.stripRight,
    normalized: token.normalized,
    special: token.special,
  };
}
