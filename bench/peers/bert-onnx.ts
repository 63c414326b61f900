/**
 * A text classifier of Cloze as the ONNX models that transformers.js runs: in standard operators, as PyTorch's exporter
 * writes BERT, for ONNX Runtime to fuse; `q8` with the weights of linear layers as int8, one scale each, and their inputs
 * quantised in every run, which is what ONNX Runtime's `quantize_dynamic` makes of it. Only the embeddings stay float32
 * there: rows are read from them, nothing is multiplied.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { type BertConfig, parseBertConfig } from "../../src/bert/config.ts";
import { toFloat32 } from "../../src/formats/safetensors.ts";
import { readSafetensors } from "../../src/formats/safetensors-file.node.ts";
import { configJson } from "../../src/tasks/folder/model-folder.node.ts";

const { onnx } = onnxProto;

/** The names that transformers.js has for them. */
const FILES = { fp32: "model.onnx", q8: "model_quantized.onnx" } as const;
const TYPES = { float32: 1, int8: 3, int64: 7 } as const;
const MASKED = -3.4e38;

/** Writes both models into `onnx/` of the classifier's folder. */
export async function writeOnnxModels(folder: string): Promise<void> {
  const config = parseBertConfig(await configJson(folder), folder);
  const { tensors } = await readSafetensors(join(folder, "model.safetensors"));
  const weights = new Map(
    [...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }] as const),
  );
  await mkdir(join(folder, "onnx"), { recursive: true });
  for (const dtype of ["fp32", "q8"] as const) {
    const model = new Model(weights, dtype === "q8");
    classify(model, config);
    await writeFile(join(folder, "onnx", FILES[dtype]), model.encode());
  }
}

interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** BertForSequenceClassification; B sequences of S tokens. */
function classify(m: Model, config: BertConfig): void {
  const { hiddenSize: D, heads: N, layerNormEpsilon: epsilon } = config;
  const norm = (x: string, name: string) =>
    m.node("LayerNormalization", [x, m.weight(`${name}.weight`), m.weight(`${name}.bias`)], { axis: -1, epsilon });

  const ids = m.input("input_ids");
  const mask = m.node("Cast", [m.input("attention_mask")], { to: TYPES.float32 }); // [B, S]
  const types = m.input("token_type_ids");
  const places = m.node("Unsqueeze", [mask, m.ints([1, 2])]); // [B, 1, 1, S]
  const bias = m.node("Mul", [m.node("Sub", [m.float(1), places]), m.float(MASKED)]); // [B, 1, 1, S]
  const length = m.node("Gather", [m.node("Shape", [ids]), m.ints([1])], { axis: 0 }); // [1]
  const table = (name: string) => m.weight(`bert.embeddings.${name}_embeddings.weight`);
  const positions = m.node("Slice", [table("position"), m.ints([0]), length, m.ints([0])]); // [S, D]
  const words = m.node("Gather", [table("word"), ids], { axis: 0 }); // [B, S, D]
  const segments = m.node("Gather", [table("token_type"), types], { axis: 0 }); // [B, S, D]
  let x = norm(m.node("Add", [m.node("Add", [words, segments]), positions]), "bert.embeddings.LayerNorm"); // [B, S, D]

  for (let i = 0; i < config.layers; i++) {
    const layer = `bert.encoder.layer.${i}`;
    const split = (name: string, perm: readonly number[]) => {
      const projected = m.linear(x, `${layer}.attention.self.${name}`); // [B, S, D]
      return m.node("Transpose", [m.node("Reshape", [projected, m.ints([0, 0, N, D / N])])], { perm });
    };
    const [query, key] = [split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1])]; // [B, N, S, H], [B, N, H, S]
    const value = split("value", [0, 2, 1, 3]); // [B, N, S, H]
    const scores = m.node("Div", [m.node("MatMul", [query, key]), m.float(Math.sqrt(D / N))]); // [B, N, S, S]
    const shares = m.node("Softmax", [m.node("Add", [scores, bias])], { axis: -1 });
    const context = m.node("Transpose", [m.node("MatMul", [shares, value])], { perm: [0, 2, 1, 3] }); // [B, S, N, H]
    const joined = m.node("Reshape", [context, m.ints([0, 0, D])]); // [B, S, D]
    const attended = m.node("Add", [m.linear(joined, `${layer}.attention.output.dense`), x]);
    x = norm(attended, `${layer}.attention.output.LayerNorm`);
    const inner = gelu(m, m.linear(x, `${layer}.intermediate.dense`)); // [B, S, F]
    x = norm(m.node("Add", [m.linear(inner, `${layer}.output.dense`), x]), `${layer}.output.LayerNorm`);
  }

  const first = m.node("Gather", [x, m.int(0)], { axis: 1 }); // [B, D]
  const dense = (from: string, name: string) =>
    m.node("Gemm", [from, m.weight(`${name}.weight`), m.weight(`${name}.bias`)], { transB: 1 });
  m.output("logits", dense(m.node("Tanh", [dense(first, "bert.pooler.dense")]), "classifier")); // [B, K]
}

function gelu(m: Model, x: string): string {
  const error = m.node("Erf", [m.node("Div", [x, m.float(Math.SQRT2)])]);
  return m.node("Mul", [m.node("Mul", [x, m.node("Add", [error, m.float(1)])]), m.float(0.5)]);
}

type Attribute = number | readonly number[];

/** An ONNX model as it grows. */
class Model {
  readonly #weights: ReadonlyMap<string, Weight>;
  readonly #quantised: boolean;
  readonly #nodes: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #initializers = new Map<string, object>();
  readonly #quantisedInputs = new Map<string, readonly string[]>();
  #names = 0;

  constructor(weights: ReadonlyMap<string, Weight>, quantised: boolean) {
    this.#weights = weights;
    this.#quantised = quantised;
  }

  node(opType: string, input: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.#add(opType, input, 1, attributes)[0];
  }

  #add(
    opType: string,
    input: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ) {
    const output = Array.from({ length: outputs }, () => `v${this.#names++}`);
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeOf(name, value) }));
    this.#nodes.push({ name: `${opType}${this.#names}`, opType, input, output, attribute });
    return output;
  }

  /** x · Wᵀ + b. */
  linear(x: string, name: string): string {
    const { shape, data } = this.#weightOf(`${name}.weight`);
    const [O, I] = shape;
    const transposed = new Float32Array(data.length); // [I, O], as the exporter stores it
    for (let o = 0; o < O; o++) for (let i = 0; i < I; i++) transposed[i * O + o] = data[o * I + i];
    const product = this.#quantised
      ? this.#quantisedProduct(x, name, transposed, [I, O])
      : this.node("MatMul", [x, this.#initializer(`${name}.transposed`, "float32", [I, O], transposed)]);
    return this.node("Add", [this.weight(`${name}.bias`), product]);
  }

  #quantisedProduct(x: string, name: string, weight: Float32Array, shape: readonly number[]): string {
    const scale = weight.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    const numbers = Int8Array.from(weight, (value) => Math.round(value / scale));
    const [quantised, factor, zero] = this.#quantisedInputs.get(x) ?? this.#add("DynamicQuantizeLinear", [x], 3);
    this.#quantisedInputs.set(x, [quantised, factor, zero]);
    const right = this.#initializer(`${name}.quantised`, "int8", shape, numbers);
    const none = this.#initializer("zero", "int8", [], new Int8Array(1));
    const sums = this.node("MatMulInteger", [quantised, right, zero, none]);
    const factors = this.node("Mul", [factor, this.float(scale)]);
    return this.node("Mul", [this.node("Cast", [sums], { to: TYPES.float32 }), factors]);
  }

  /** A weight as it is stored. */
  weight(name: string): string {
    const { shape, data } = this.#weightOf(name);
    return this.#initializer(name, "float32", shape, data);
  }

  #weightOf(name: string): Weight {
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new Error(`the model has no ${name}`);
    return weight;
  }

  float(value: number): string {
    return this.#initializer(`float ${value}`, "float32", [], Float32Array.of(value));
  }

  int(value: number): string {
    return this.#initializer(`int ${value}`, "int64", [], BigInt64Array.of(BigInt(value)));
  }

  ints(values: readonly number[]): string {
    return this.#initializer(`ints ${values}`, "int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  #initializer(name: string, type: keyof typeof TYPES, dims: readonly number[], data: ArrayBufferView): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.set(name, { name, dims, dataType: TYPES[type], rawData });
    return name;
  }

  input(name: string): string {
    this.#inputs.push(valueInfo(name, TYPES.int64, ["batch", "sequence"]));
    return name;
  }

  output(name: string, value: string): void {
    this.#nodes.push({ opType: "Identity", input: [value], output: [name] });
    this.#outputs.push(valueInfo(name, TYPES.float32, ["batch", "labels"]));
  }

  encode(): Uint8Array {
    const graph = {
      name: "bert",
      node: this.#nodes,
      input: this.#inputs,
      output: this.#outputs,
      initializer: [...this.#initializers.values()],
    };
    return onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: "", version: 17 }], graph }).finish();
  }
}

function attributeOf(name: string, value: Attribute): object {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value !== "number") return { type: AttributeType.INTS, ints: value };
  return name === "epsilon" ? { type: AttributeType.FLOAT, f: value } : { type: AttributeType.INT, i: value };
}

function valueInfo(name: string, elemType: number, dims: readonly string[]): object {
  return { name, type: { tensorType: { elemType, shape: { dim: dims.map((dimParam) => ({ dimParam })) } } } };
}
