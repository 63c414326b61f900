/**
 * One training step of BERT: masked LM + next sentence, dropout, clipping and AdamW. Prints one JSON line.
 *
 *     npx tsx bench/step.ts --model mini --batch 64 --length 128 --fill 0.44 --device onnx
 */
import { parseArgs } from "node:util";
import { presetConfig } from "../src/bert/config.ts";
import { trainingFlop } from "../src/bert/products.ts";
import { pretrainingBatch } from "../src/cli/bench/workloads.ts";
import { openExecutor, openStepKernels } from "../src/executors/executor.node.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { clipScale } from "../src/optim/gradients.ts";
import { segmentsOf } from "../src/train/weights.ts";
import { median } from "./rows.ts";

const { values: given } = parseArgs({
  options: {
    model: { type: "string", default: "base" },
    layers: { type: "string" },
    batch: { type: "string", default: "16" },
    length: { type: "string", default: "128" },
    /** Share of real tokens. */
    fill: { type: "string", default: "1" },
    steps: { type: "string", default: "5" },
    vocabulary: { type: "string", default: "30522" },
    dropout: { type: "string", default: "0.1" },
    device: { type: "string", default: "cpu" },
    precision: { type: "string", default: "auto" },
  },
});
const means = { device: given.device as "cpu", precision: given.precision as "auto", threads: 2 };
const preset = presetConfig(given.model as "base", Number(given.vocabulary));
const config = {
  ...preset,
  layers: Number(given.layers ?? preset.layers),
  hiddenDropout: Number(given.dropout),
  attentionDropout: Number(given.dropout),
};
const { loss } = pretraining(config);
const graph = makeGraph({ loss, ...parameterGradients(loss) });
const parameters = new Parameters(graph.parameters);
initialise(parameters, config.initializerRange, 1);
const gradients = parameters.like();
const outputs = Object.fromEntries(gradients.views.map(({ spec, data }) => [spec.name, data]));
const optimizer = new AdamW(segmentsOf(parameters), { kernels: openStepKernels(means) });

const created = performance.now();
const executable = await (await openExecutor(means, "training")).load(graph, parameters);
const sessionSeconds = (performance.now() - created) / 1000;

const lengths = spreadLengths(Number(given.batch), Number(given.length), Number(given.fill));
const inputs = pretrainingBatch(config, lengths);
const seconds: { step: number; optimizer: number }[] = [];
for (let step = 0; step <= Number(given.steps); step++) {
  const start = performance.now();
  await executable.run(inputs, { outputs, seed: step });
  const computed = performance.now();
  const gradientScale = clipScale(await optimizer.norm(gradients.buffer), 1);
  await optimizer.step(parameters.buffer, gradients.buffer, { learningRate: 1e-4, gradientScale });
  const done = performance.now();
  seconds.push({ step: (done - start) / 1000, optimizer: (done - computed) / 1000 });
}
const measured = seconds.slice(1); // the first step warms up
const masked = inputs.maskedPositions.data.length;
const size = { lengths, masked, asked: masked + lengths.length };
const gflop = trainingFlop(config, size) / 1e9;
const stepSeconds = median(measured.map(({ step }) => step));
console.log(
  JSON.stringify({
    seconds: stepSeconds,
    optimizerSeconds: median(measured.map((one) => one.optimizer)),
    sessionSeconds,
    gflop,
    gflops: gflop / stepSeconds,
    tokens: lengths.reduce((a, b) => a + b, 0),
    peakMemoryGb: process.resourceUsage().maxRSS / 1e6,
  }),
);

/** The first sequence has the full length, the others are spread evenly around what makes the share come out. */
function spreadLengths(B: number, S: number, share: number): number[] {
  const others = B === 1 ? S : (share * B * S - S) / (B - 1);
  return Array.from({ length: B }, (_, i) =>
    i === 0 || share >= 1 ? S : Math.round(others * (0.5 + (i - 0.5) / (B - 1))),
  );
}
