/**
 * A pass of fine-tuning over a file, as `cloze finetune` makes it, after one that warms up; the seconds are those of its
 * updates alone. Prints one JSON line.
 *
 *     npx tsx bench/finetuning-pass.ts text-classification mini vocab.txt train.tsv 32
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finetune } from "cloze";

const [task, model, vocab, train, batch] = process.argv.slice(2);
const output = mkdtempSync(join(tmpdir(), "cloze-bench-"));
let [seconds, tokens] = [0, 0];
await finetune(task as "text-classification" | "question-answering", {
  model,
  vocab,
  train,
  output,
  epochs: 2,
  batchSize: Number(batch),
  threads: 2,
  onEvent: (event) => {
    if (event.kind !== "step" || event.epoch === 0) return;
    seconds += event.seconds;
    tokens += event.tokens;
  },
});
rmSync(output, { recursive: true });
console.log(JSON.stringify({ seconds, tokens }));
