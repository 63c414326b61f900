/**
 * What peers/transformers-js.mjs measures, by Cloze: a text classifier, batches of texts, the median of some passes over
 * them all. Prints one JSON line, with the label of the first text.
 *
 *     npx tsx bench/inference-pass.ts folder-of-models model bf16 batches.json 3
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "cloze";
import { median } from "./rows.ts";

const [models, model, precision, file, passes] = process.argv.slice(2);
const batches: string[][] = JSON.parse(readFileSync(file, "utf8"));
const options = { precision: precision as "bf16", threads: 2 };
const classify = await pipeline("text-classification", join(models, model), options);

const [first] = await classify(batches[0]); // warms up too
const seconds: number[] = [];
for (let pass = 0; pass < Number(passes); pass++) {
  const start = performance.now();
  for (const batch of batches) await classify(batch);
  seconds.push((performance.now() - start) / 1000);
}
await classify.dispose();
console.log(JSON.stringify({ seconds: median(seconds), first }));
