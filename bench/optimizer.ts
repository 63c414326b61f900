/**
 * The optimizer on as many parameters as BERT-base has: norm of the gradients, clipping and AdamW, beside the same in a
 * plain TypeScript loop. Its share of a whole training step is measured in training.ts.
 *
 *     npx tsx bench/optimizer.ts
 */
import { fileURLToPath } from "node:url";
import { Random } from "../src/base/random.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { clipScale } from "../src/optim/gradients.ts";
import { type BenchRow, describeMachine, formatRows, median } from "./rows.ts";

const PARAMETERS = 110_000_000;
const ROUNDS = 7;
const LEARNING_RATE = 1e-4;

/** Medians of interleaved rounds, after one of each that is not counted. Needs 1.8 GB of memory. */
export async function benchOptimizer(): Promise<BenchRow[]> {
  const parameters = randomBuffer("parameters");
  const gradients = randomBuffer("gradients");
  const optimizer = new AdamW([{ offset: 0, length: PARAMETERS, decay: true }]);
  const { m, v } = optimizer.state;
  const norms: number[] = [];
  const steps: number[] = [];
  const plain: number[] = [];
  const copies: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    let norm = 0;
    norms.push(
      await secondsOf(async () => {
        norm = await optimizer.norm(gradients);
      }),
    );
    const gradientScale = clipScale(norm, 1);
    const options = { learningRate: LEARNING_RATE, gradientScale };
    steps.push(await secondsOf(() => optimizer.step(parameters, gradients, options)));
    plain.push(await secondsOf(() => plainStep(parameters, gradients, m, v, round + 1)));
    copies.push(await secondsOf(() => m.set(v)));
  }
  const [norm, step, peer, copy] = [norms, steps, plain, copies].map((seconds) => median(seconds.slice(1)));
  return [
    {
      name: "clipping and AdamW, 110 M parameters",
      value: norm! + step!,
      unit: "s",
      peer: "the same as a plain TypeScript loop",
      peerValue: peer!,
      wanted: { ratio: "at most", of: 0.75 },
    },
    {
      name: "AdamW alone, bytes read and written",
      value: (PARAMETERS * 28) / step! / 1e9,
      unit: "GB/s",
      peer: "one large copy, read and written",
      peerValue: (PARAMETERS * 8) / copy! / 1e9,
      wanted: { ratio: "at least", of: 0.3 },
    },
  ];
}

/** The norm and AdamW without decay groups, as one would write them first. */
function plainStep(parameters: Float32Array, gradients: Float32Array, m: Float32Array, v: Float32Array, t: number) {
  let sum = 0;
  for (let i = 0; i < gradients.length; i++) sum += gradients[i] * gradients[i];
  const scale = Math.min(1, 1 / (Math.sqrt(sum) + 1e-6));
  const stepSize = LEARNING_RATE / (1 - 0.9 ** t);
  const rootScale = 1 / Math.sqrt(1 - 0.999 ** t);
  for (let i = 0; i < parameters.length; i++) {
    const g = gradients[i] * scale;
    const p = parameters[i];
    const first = 0.9 * m[i] + 0.1 * g;
    const second = 0.999 * v[i] + 0.001 * g * g;
    m[i] = first;
    v[i] = second;
    parameters[i] = p - (stepSize * first) / (Math.sqrt(second) * rootScale + 1e-8) - LEARNING_RATE * 0.01 * p;
  }
}

function randomBuffer(name: string): Float32Array {
  const random = Random.of(1, name);
  const sample = Float32Array.from({ length: 99_991 }, () => random.normal() * 0.02);
  const buffer = new Float32Array(PARAMETERS);
  for (let i = 0; i < PARAMETERS; i += sample.length) buffer.set(sample.subarray(0, PARAMETERS - i), i);
  return buffer;
}

async function secondsOf(work: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(await benchOptimizer())}`);
}
