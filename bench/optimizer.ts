/**
 * The optimizer on as many parameters as BERT-base has: norm of the gradients, clipping and AdamW. The target is 6% of a
 * training step (batch 16, length 128) that takes 7.5 s on two cores. The peer is the same in a plain TypeScript loop.
 *
 *     npx tsx bench/optimizer.ts
 */
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { Random } from "../src/base/random.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { clipScale, globalNorm } from "../src/optim/gradients.ts";

const PARAMETERS = 110_000_000;
const ROUNDS = 7;
const LEARNING_RATE = 1e-4;

interface BenchRow {
  name: string;
  value: number;
  unit: string;
  peer: string;
  peerValue: number;
  /** How many times better than the peer. */
  ratio: number;
  /** The value must not be above it. */
  target?: number;
}

/** Medians of interleaved rounds, after one of each that is not counted. Needs 1.8 GB of memory. */
export function benchOptimizer(): BenchRow[] {
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
      secondsOf(() => {
        norm = globalNorm(gradients);
      }),
    );
    const gradientScale = clipScale(norm, 1);
    steps.push(secondsOf(() => optimizer.step(parameters, gradients, { learningRate: LEARNING_RATE, gradientScale })));
    plain.push(secondsOf(() => plainStep(parameters, gradients, m, v, round + 1)));
    copies.push(secondsOf(() => m.set(v)));
  }
  const [norm, step, peer, copy] = [norms, steps, plain, copies].map((seconds) => median(seconds.slice(1)));
  const total = norm! + step!;
  return [
    {
      name: "AdamW step with clipping, 110 M parameters",
      value: total,
      unit: "s",
      peer: "plain TypeScript loop",
      peerValue: peer!,
      ratio: peer! / total,
      target: 0.45,
    },
    bandwidth("gradient norm, bytes read", 4, norm!, copy!),
    bandwidth("AdamW step, bytes read and written", 28, step!, copy!),
  ];
}

function bandwidth(name: string, bytesPerParameter: number, seconds: number, copySeconds: number): BenchRow {
  const value = (PARAMETERS * bytesPerParameter) / seconds / 1e9;
  const peerValue = (PARAMETERS * 8) / copySeconds / 1e9;
  return { name, value, unit: "GB/s", peer: "Float32Array.set, one large copy", peerValue, ratio: value / peerValue };
}

/** The norm and AdamW without decay groups, as one would write them first. */
function plainStep(parameters: Float32Array, gradients: Float32Array, m: Float32Array, v: Float32Array, t: number) {
  let sum = 0;
  for (let i = 0; i < gradients.length; i++) sum += gradients[i]! * gradients[i]!;
  const scale = Math.min(1, 1 / (Math.sqrt(sum) + 1e-6));
  const stepSize = LEARNING_RATE / (1 - 0.9 ** t);
  const rootScale = 1 / Math.sqrt(1 - 0.999 ** t);
  for (let i = 0; i < parameters.length; i++) {
    const g = gradients[i]! * scale;
    const p = parameters[i]!;
    const first = 0.9 * m[i]! + 0.1 * g;
    const second = 0.999 * v[i]! + 0.001 * g * g;
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

function secondsOf(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}; load ${loadavg()[0]!.toFixed(1)}`);
  for (const { name, value, unit, peer, peerValue, ratio, target } of benchOptimizer()) {
    const values = `${value.toFixed(2)} ${unit}; ${peer} ${peerValue.toFixed(2)} ${unit}; ratio ${ratio.toFixed(2)}`;
    console.log(`${name}: ${values}${target === undefined ? "" : `, at most ${target} ${unit} wanted`}`);
  }
}
