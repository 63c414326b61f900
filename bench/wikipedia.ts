import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { hasData, sharedData } from "./shared-data.ts";

const CORPUS = sharedData("corpora/wikipedia-en-2015");

/** Whether the Wikipedia corpus is there; says so where it is not. */
export function hasWikipedia(what: string): boolean {
  return hasData(what, CORPUS);
}

/** The articles' texts, a blank line between them, up to the line that completes so many bytes. */
export async function writeWikipedia(file: string, bytes: number): Promise<void> {
  const out = createWriteStream(file);
  let written = 0;
  for (let part = 0; written < bytes; part++) {
    const source = createReadStream(join(CORPUS, `part-${String(part).padStart(2, "0")}.jsonl.gz`));
    for await (const line of createInterface({ input: source.pipe(createGunzip()) })) {
      const text = `${JSON.parse(line).text}\n\n`;
      written += Buffer.byteLength(text);
      if (!out.write(text)) await once(out, "drain");
      if (written >= bytes) break;
    }
    source.destroy();
  }
  out.end();
  await finished(out);
}
