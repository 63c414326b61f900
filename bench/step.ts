/**
 * One training step of BERT: masked LM + next sentence, dropout, clipping and AdamW. Prints one JSON line.
 *
 *     npx tsx bench/step.ts [preset] [batch] [length] [share of real tokens] [steps] [vocabulary] [dropout]
 */
import { Random } from "../src/base/random.ts";
import { presetConfig } from "../src/bert/config.ts";
import { trainingFlop } from "../src/bert/products.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { type Value, vector } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { clipScale } from "../src/optim/gradients.ts";
import { segmentsOf } from "../src/train/weights.ts";
import { median } from "./rows.ts";

const [preset = "base", batch = "16", length = "128", fill = "1", steps = "5", vocabulary = "30522", dropout = "0.1"] =
  process.argv.slice(2);

const rates = { hiddenDropout: Number(dropout), attentionDropout: Number(dropout) };
const config = { ...presetConfig(preset as "base", Number(vocabulary)), ...rates };
const { loss } = pretraining(config);
const graph = makeGraph({ loss, ...parameterGradients(loss) });
const parameters = new Parameters(graph.parameters);
initialise(parameters, config.initializerRange, 1);
const gradients = parameters.like();
const outputs = Object.fromEntries(gradients.views.map(({ spec, data }) => [spec.name, data]));
const optimizer = new AdamW(segmentsOf(parameters));

const created = performance.now();
const executable = await onnxExecutor({ threads: 2 }).load(graph, parameters);
const sessionSeconds = (performance.now() - created) / 1000;

const inputs = makeBatch(Number(batch), Number(length), Number(fill));
const seconds: { step: number; optimizer: number }[] = [];
for (let step = 0; step <= Number(steps); step++) {
  const start = performance.now();
  await executable.run(inputs, { outputs, seed: step });
  const computed = performance.now();
  const gradientScale = clipScale(optimizer.norm(gradients.buffer), 1);
  optimizer.step(parameters.buffer, gradients.buffer, { learningRate: 1e-4, gradientScale });
  const done = performance.now();
  seconds.push({ step: (done - start) / 1000, optimizer: (done - computed) / 1000 });
}
const measured = seconds.slice(1); // the first step warms up
const lengths = [...inputs.lengths.data];
const size = { lengths, masked: inputs.maskedPositions.data.length };
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

function makeBatch(B: number, S: number, share: number): Record<string, Value> {
  const random = Random.of(1, "bench");
  // The first sequence has the full length, the others are spread evenly around what makes the share come out.
  const others = (share * B * S - S) / (B - 1);
  const lengths = Int32Array.from({ length: B }, (_, i) =>
    i === 0 || share >= 1 ? S : Math.round(others * (0.5 + (i - 0.5) / (B - 1))),
  );
  const T = lengths.reduce((a, b) => a + b, 0);
  const M = Math.round(0.15 * T);
  const ids = (length: number, bound: number) => vector(Int32Array.from({ length }, () => random.below(bound)));
  const weights = (length: number) => vector(new Float32Array(length).fill(1 / length));
  return {
    ids: ids(T, config.vocabSize),
    typeIds: vector(new Int32Array(T)),
    lengths: vector(lengths),
    maskedPositions: vector(Int32Array.from({ length: M }, (_, i) => Math.floor((i * T) / M))),
    maskedLabels: ids(M, config.vocabSize),
    maskedWeights: weights(M),
    nextSentence: ids(B, 2),
    nextSentenceWeights: weights(B),
  };
}
