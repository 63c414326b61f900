/**
 * A training step of BERT-base 16 x 128 and of mini 64 x 128: masked LM and next sentence, dropout, clipping, AdamW. Beside
 * the matrix products that it is made of, beside ONNX Runtime, and beside PyTorch where there is one. Each run is a process
 * of its own.
 *
 *     npx tsx bench/training.ts
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { hasPyTorch, runPyTorch } from "./peers.ts";
import { type BenchRow, budget, describeMachine, formatRows, median } from "./rows.ts";
import { runScript } from "./run-script.ts";

const ROUNDS = 3;
const FILL = "0.44";
const MINI = ["--model", "mini", "--batch", "64"];
/** The sizes of mini for peers/pytorch_step.py. */
const PEER_MINI = ["--layers", "4", "--hidden", "256", "--heads", "4", "--batch", "64"];

const Step = z.object({
  seconds: z.number(),
  optimizerSeconds: z.number(),
  sessionSeconds: z.number(),
  gflops: z.number(),
  tokens: z.number(),
  peakMemoryGb: z.number(),
});
const Products = z.object({ gflops: z.number() });
const PeerStep = z.object({
  seconds: z.number(),
  padded_tokens: z.number(),
  torch: z.string(),
  blas_kernels: z.string().nullable(),
});

/** Medians of three interleaved rounds. Takes some seven minutes, most of them for the peers. */
export function benchTraining(): BenchRow[] {
  const torch = hasPyTorch("training");
  const runs = Array.from({ length: ROUNDS }, () => ({
    products: Products.parse(runScript("product-times.ts", "--precision", "bf16")),
    base: runStep("--steps", "3"),
    sparse: runStep("--steps", "3", "--fill", FILL),
    onnx: runStep("--steps", "2", "--device", "onnx"),
    miniProducts: Products.parse(runScript("product-times.ts", "--precision", "bf16", ...MINI)),
    mini: runStep(...MINI),
    peers: torch
      ? {
          bfloat16: runPeer("--dtype", "bfloat16"),
          float32: runPeer("--dtype", "float32"),
          mini: runPeer("--dtype", "bfloat16", ...PEER_MINI),
        }
      : undefined,
  }));
  const middle = (read: (run: (typeof runs)[number]) => number) => median(runs.map(read));
  const seconds = middle(({ base }) => base.seconds);
  const [first] = runs;
  const base = "training step, BERT-base 16 x 128";
  const mini = "training step, mini 64 x 128";
  const speed = (name: string, read: (run: (typeof runs)[number]) => { tokens: number; seconds: number }) => ({
    name,
    value: middle((run) => read(run).tokens / read(run).seconds),
    unit: "tokens/s",
  });
  const rows: BenchRow[] = [
    {
      name: base,
      value: middle(({ base }) => base.gflops),
      unit: "GFLOP/s",
      peer: "its own matrix products alone",
      peerValue: middle(({ products }) => products.gflops),
      wanted: { ratio: "at least", of: 0.75 },
    },
    {
      name: mini,
      value: middle(({ mini }) => mini.gflops),
      unit: "GFLOP/s",
      peer: "its own matrix products alone",
      peerValue: middle(({ miniProducts }) => miniProducts.gflops),
      wanted: { ratio: "at least", of: 0.65 },
    },
    {
      ...speed(base, (run) => run.base),
      peer: "the onnx executor",
      peerValue: middle(({ onnx }) => onnx.tokens / onnx.seconds),
      wanted: { ratio: "at least", of: 1.9 },
    },
  ];
  if (first.peers !== undefined) {
    const { torch, blas_kernels } = first.peers.float32;
    const peer = (name: "bfloat16" | "float32" | "mini") => (run: (typeof runs)[number]) =>
      run.peers === undefined ? 0 : run.peers[name].padded_tokens / run.peers[name].seconds;
    rows.push(
      {
        ...speed(base, (run) => run.base),
        peer: `PyTorch ${torch}, bfloat16 autocast`,
        peerValue: middle(peer("bfloat16")),
        wanted: { ratio: "at least", of: 1.3 },
      },
      {
        ...speed(base, (run) => run.base),
        peer: `PyTorch ${torch}, float32, OpenBLAS ${blas_kernels ?? ""}`,
        peerValue: middle(peer("float32")),
        wanted: { ratio: "at least", of: 3 },
      },
      {
        ...speed(mini, (run) => run.mini),
        peer: `PyTorch ${torch}, bfloat16 autocast`,
        peerValue: middle(peer("mini")),
        wanted: { ratio: "at least", of: 2 },
      },
    );
  }
  return [
    ...rows,
    {
      name: `the same batch of base with ${Math.round((100 * first.sparse.tokens) / first.base.tokens)}% real tokens`,
      value: middle(({ sparse }) => sparse.seconds),
      unit: "s",
      peer: "all tokens real",
      peerValue: seconds,
      wanted: { ratio: "at most", of: 0.6 },
    },
    {
      name: "clipping and AdamW, base",
      value: middle(({ base }) => base.optimizerSeconds),
      unit: "s",
      peer: "the whole step",
      peerValue: seconds,
      wanted: { ratio: "at most", of: 0.06 },
    },
    budget("peak memory of training base", Math.max(...runs.map(({ base }) => base.peakMemoryGb)), "GB", 2.8),
    budget(
      "loading the graph of base",
      middle(({ base }) => base.sessionSeconds),
      "s",
      1,
    ),
  ];
}

function runStep(...options: readonly string[]) {
  return Step.parse(runScript("step.ts", ...options));
}

function runPeer(...options: readonly string[]) {
  return PeerStep.parse(runPyTorch("--steps", "2", ...options));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(benchTraining())}`);
}
