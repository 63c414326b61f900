/**
 * `npm run bench`: every figure that the documentation claims, as one table. `npm run bench -- latency streaming` measures
 * these alone. All together take about an hour; nothing else should run meanwhile.
 */
import { benchDemo } from "./demo.ts";
import { benchFinetuning, benchFinetuningWindows } from "./finetuning.ts";
import { benchInference } from "./inference.ts";
import { benchLatency } from "./latency.ts";
import { benchMemory } from "./memory.ts";
import { benchOptimizer } from "./optimizer.ts";
import { benchPretraining } from "./pretraining.ts";
import { benchProducts } from "./products.ts";
import { type BenchRow, describeMachine, formatRows, isMet } from "./rows.ts";
import { benchScaling } from "./scaling.ts";
import { benchStreaming } from "./streaming.ts";
import { benchTokenizer } from "./tokenizer.ts";
import { benchTraining } from "./training.ts";
import { benchVocabulary } from "./vocabulary.ts";

const BENCHES: Readonly<Record<string, () => BenchRow[] | Promise<BenchRow[]>>> = {
  demo: benchDemo,
  products: benchProducts,
  training: benchTraining,
  memory: benchMemory,
  scaling: benchScaling,
  finetuning: benchFinetuning,
  "finetuning-windows": benchFinetuningWindows,
  inference: benchInference,
  pretraining: benchPretraining,
  optimizer: benchOptimizer,
  latency: benchLatency,
  streaming: benchStreaming,
  tokenizer: benchTokenizer,
  vocabulary: benchVocabulary,
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BENCHES);
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0)
  throw new Error(`no benchmark ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);

console.log(describeMachine());
const rows: BenchRow[] = [];
for (const name of names) rows.push(...(await BENCHES[name]()));
console.log(`\n${formatRows(rows)}\n\n${rows.filter(isMet).length} of ${rows.length} met; ${describeMachine()}`);
