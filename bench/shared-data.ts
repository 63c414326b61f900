/** Data sets that rows are measured on: they are looked for in the folder `shared/data` beside the checkout. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../shared/data/", import.meta.url);

/** Where a file or folder of that name lies, if it is there. */
export function sharedData(name: string): string {
  return fileURLToPath(new URL(name, FOLDER));
}

/** BERT's own vocabulary. */
export const BERT_VOCAB = sharedData("vocab/bert-base-uncased");

/** Whether all that a measurement reads is there; if not, says what is missing. */
export function hasData(what: string, ...paths: readonly string[]): boolean {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) console.error(`${what}: its rows are left out, since there is no ${missing.join(", no ")}`);
  return missing.length === 0;
}
