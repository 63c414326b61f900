/**
 * The matrix products of a training step beside oneDNN (through PyTorch), ONNX Runtime, and what the registers allow: all
 * products of BERT-base 16 x 128 and of mini 64 x 128, forward and both backward forms, each as often as a step has it.
 *
 *     npx tsx bench/products.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { compileRegisters, hasPyTorch, runPyTorch } from "./peers.ts";
import { type BenchRow, describeMachine, formatRows, median } from "./rows.ts";
import { runScript } from "./run-script.ts";

const ROUNDS = 5;
const MODELS = [
  { model: "base", batch: "16" },
  { model: "mini", batch: "64" },
] as const;

const Times = z.object({
  gflops: z.number(),
  shapes: z.record(z.string(), z.array(z.number())),
  products: z.array(z.unknown()),
});
const PeerTimes = z.object({ gflops: z.number(), torch: z.string() });
const Registers = z.object({ float32: z.number(), bfloat16: z.number().optional() });
type Registers = z.infer<typeof Registers>;

/** Medians of five interleaved rounds. Takes some four minutes. */
export function benchProducts(): BenchRow[] {
  const folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  try {
    const program = compileRegisters(folder);
    const limits = () => (program === undefined ? undefined : runRegisters(program));
    return MODELS.flatMap((size) => compare(join(folder, "products.json"), size, limits));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare(file: string, { model, batch }: (typeof MODELS)[number], limits: () => Registers | undefined) {
  const own = (...options: readonly string[]) =>
    Times.parse(runScript("product-times.ts", "--model", model, "--batch", batch, ...options));
  const first = own("--precision", "bf16");
  writeFileSync(file, JSON.stringify(first.products));
  console.log(`bfloat16 products of ${model}, GFLOP/s as x Wᵀ, dy W, dyᵀ x: ${JSON.stringify(first.shapes)}`);
  const torch = hasPyTorch("products");
  const rounds = Array.from({ length: ROUNDS }, () => ({
    bfloat16: own("--precision", "bf16"),
    bfloat16Packed: own("--precision", "bf16", "--packing").gflops,
    oneDnn: torch ? PeerTimes.parse(runPyTorch("--products", file, "--dtype", "bfloat16")) : undefined,
    float32: own("--precision", "fp32", "--wall").gflops,
    onnx: own("--device", "onnx", "--wall").gflops,
    registers: limits(),
  }));
  const name = (precision: string) => `${precision} products of ${model}, ${batch} x 128, forward and backward`;
  const row = (
    row: Pick<BenchRow, "name" | "peer">,
    values: readonly number[],
    peers: (number | undefined)[],
    of: number,
  ) =>
    peers.some((value) => value === undefined)
      ? []
      : [
          {
            ...row,
            value: median(values),
            unit: "GFLOP/s",
            peerValue: median(peers.map(Number)),
            wanted: { ratio: "at least", of } as const,
          },
        ];
  return [
    ...row(
      { name: `${name("bfloat16")}, packing counted`, peer: `oneDNN, PyTorch ${rounds[0].oneDnn?.torch}` },
      rounds.map((round) => round.bfloat16Packed),
      rounds.map((round) => round.oneDnn?.gflops),
      0.92,
    ),
    ...row(
      { name: name("bfloat16"), peer: "what the registers allow" },
      rounds.map((round) => round.bfloat16.gflops),
      rounds.map((round) => round.registers?.bfloat16),
      0.92,
    ),
    ...row(
      { name: `bfloat16 products of ${model}, the slowest of its shapes and forms`, peer: "what the registers allow" },
      [slowest(rounds.map((round) => round.bfloat16.shapes))],
      rounds.map((round) => round.registers?.bfloat16),
      0.92,
    ),
    ...row(
      { name: `${name("float32")}, whole runs`, peer: "ONNX Runtime" },
      rounds.map((round) => round.float32),
      rounds.map((round) => round.onnx),
      1,
    ),
  ];
}

/** Of the medians of all shapes and forms the lowest. */
function slowest(rounds: readonly z.infer<typeof Times>["shapes"][]): number {
  const medians = Object.entries(rounds[0]).flatMap(([shape, forms]) =>
    forms.map((_, form) => median(rounds.map((shapes) => shapes[shape][form]))),
  );
  return Math.min(...medians);
}

function runRegisters(program: string): Registers {
  const { stdout, stderr, status } = spawnSync(program, ["2"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} failed:\n${stderr}`);
  return Registers.parse(JSON.parse(stdout));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(benchProducts())}`);
}
