import type { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { faultsOf, plainWords } from "../base/plain-words.ts";
import { parseJson } from "../formats/json.ts";

/** Parses the text of a tokenizer's JSON file. Throws TOKENIZER_MALFORMED. */
export function parseFile(text: string, fileName: string): unknown {
  return parseJson(text, (fault) => {
    throw malformed(`${fileName} is not JSON`, fault);
  });
}

/** Checks the form of what such a file holds. Throws TOKENIZER_MALFORMED, which names each field at fault. */
export function checkForm<S extends z.ZodType>(schema: S, json: unknown, fileName: string): z.output<S> {
  const result = schema.safeParse(json, { error: plainWords });
  if (result.success) return result.data;
  throw malformed(`${fileName} does not describe a tokenizer`, faultsOf(result.error));
}

function malformed(problem: string, received: string): ClozeError {
  const cure = "Take the file from where the model came from, or save the tokenizer anew.";
  return new ClozeError("TOKENIZER_MALFORMED", { problem, received, cure });
}
