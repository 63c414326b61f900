/**
 * The ceiling of a training step: the fastest of three matrix products of its own sizes, 2048 tokens from 768 to 3072 and
 * back, by the same runtime on the same threads. One session at a time, since the threads of an idle one may still spin. Prints
 * one JSON line.
 *
 *     npx tsx bench/ceiling.ts
 */
import * as ort from "onnxruntime-node";
import { Random } from "../src/base/random.ts";
import { OnnxBuilder } from "../src/executors/onnx/builder.ts";
import { median } from "./rows.ts";

const [R, I, O] = [2048, 768, 3072];
const ROUNDS = 15;
const random = Random.of(2);

const seconds = [
  await measure("MatMul", [R, I], [I, O], [R, O]),
  await measure("MatMul", [R, O], [O, I], [R, I]),
  await measure("Gemm", [R, I], [O, I], [R, O]), // with the right side transposed, as weights are stored
];
console.log(JSON.stringify({ gflops: (2 * R * I * O) / 1e9 / Math.min(...seconds) }));

type Matrix = readonly [number, number];

async function measure(op: "Gemm" | "MatMul", a: Matrix, b: Matrix, c: Matrix): Promise<number> {
  const onnx = new OnnxBuilder();
  onnx.input("a", "float32", a);
  onnx.input("b", "float32", b);
  const value = onnx.node(op, ["a", "b"], op === "Gemm" ? { attributes: { transB: 1 } } : {});
  const model = onnx.encode([{ name: "c", value, dtype: "float32", shape: c }]);
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 2 });
  const [feeds, fetches] = [{ a: tensor(a), b: tensor(b) }, { c: tensor(c) }];
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await session.run(feeds, fetches);
    times.push((performance.now() - start) / 1000);
  }
  await session.release();
  return median(times);
}

function tensor([rows, columns]: Matrix): ort.Tensor {
  const data = Float32Array.from({ length: rows * columns }, () => random.uniform() - 0.5);
  return new ort.Tensor("float32", data, [rows, columns]);
}
