/**
 * A text classifier in transformers.js on the CPU: batches of texts, the median of some passes over them all. Prints one
 * JSON line, with the label of the first text, to be compared with that of Cloze.
 *
 *     node transformers-js.mjs folder-of-models model fp32 batches.json 3
 */
import { readFileSync } from "node:fs";
import { env, pipeline } from "@huggingface/transformers";

const [models, model, dtype, file, passes] = process.argv.slice(2);
const batches = JSON.parse(readFileSync(file, "utf8"));
env.localModelPath = models;
env.allowRemoteModels = false;
const session_options = { intraOpNumThreads: 2 };
const classify = await pipeline("text-classification", model, { dtype, device: "cpu", session_options });

const [first] = await classify(batches[0]); // warms up too
const seconds = [];
for (let pass = 0; pass < Number(passes); pass++) {
  const start = performance.now();
  for (const batch of batches) await classify(batch);
  seconds.push((performance.now() - start) / 1000);
}
const median = seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)];
console.log(JSON.stringify({ seconds: median, first, version: env.version }));
