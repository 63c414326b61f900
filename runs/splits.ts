/**
 * Writes the splits of what comes in one file: wikigold-split/{train,dev}.conll and mails-split/{train,dev,test}.jsonl. They
 * are the same every time; Wikigold's are written anew, mails that are there stay.
 *
 *     npx tsx runs/splits.ts path/to/data results-output
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMails } from "../demo/mails.ts";
import { splitMails, writeSplit } from "../demo/split.ts";

export async function makeSplits(data: string, out: string): Promise<void> {
  const mails = join(out, "mails-split");
  splitWikigold(join(data, "wikigold/wikigold.conll.txt"), join(out, "wikigold-split"));
  if (!existsSync(join(mails, "test.jsonl"))) await writeSplit(splitMails((await readMails()).mails), mails);
}

/** Every fifth document is held back. Whole documents, since the sentences of one repeat its names. */
function splitWikigold(file: string, folder: string): void {
  const documents = readFileSync(file, "utf8").split(/^(?=-DOCSTART-)/m);
  mkdirSync(folder, { recursive: true });
  for (const part of ["train", "dev"]) {
    const isDev = part === "dev";
    writeFileSync(join(folder, `${part}.conll`), documents.filter((_, i) => (i % 5 === 4) === isDev).join(""));
  }
}

if (process.argv[1] === import.meta.filename) {
  const [data, out] = process.argv.slice(2);
  await makeSplits(data, out);
}
