import onnxProto from "onnx-proto";
import type { Dtype, Shape } from "../../graph/shape.ts";

const { onnx } = onnxProto;

const OPSET = 18;
/** Version 9 of the ONNX file format is the oldest that admits opset 18's types. */
const IR_VERSION = 9;
/** The domain of ONNX Runtime's own operators. */
export const MICROSOFT = "com.microsoft";

/** Numbers of the element types in ONNX files. */
export const ELEMENT = { float32: 1, int32: 6, int64: 7 } as const;

type Attribute = number | string | readonly number[] | { readonly float: number };

/** Options of one ONNX node: attributes (whole numbers unless wrapped as `{ float }`), domain, number of outputs. */
interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
  readonly outputs?: number;
}

/** Collects an ONNX model: nodes in order, constants shared, names made up as they are needed. */
export class OnnxBuilder {
  readonly #nodes: object[] = [];
  readonly #inputs: object[] = [];
  readonly #initializers: object[] = [];
  readonly #constants = new Map<string, string>();
  #names = 0;

  /** Adds a node of one output and returns the output's name. */
  node(opType: string, inputs: readonly string[], options: Omit<NodeOptions, "outputs"> = {}): string {
    return this.nodes(opType, inputs, { ...options, outputs: 1 })[0];
  }

  /** Adds a node and returns the names of its outputs. */
  nodes(
    opType: string,
    inputs: readonly string[],
    { attributes = {}, domain = "", outputs = 1 }: NodeOptions,
  ): string[] {
    const output = Array.from({ length: outputs }, () => `node:${this.#names++}`);
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...encodeAttribute(value) }));
    this.#nodes.push({ opType, domain, input: inputs, output, attribute });
    return output;
  }

  /** The sum over one axis, which goes away. */
  sum(x: string, axis: number): string {
    return this.node("ReduceSum", [x, this.int([axis])], { attributes: { keepdims: 0 } });
  }

  /**
   * A product over the last two of four dimensions, either side transposed, times a factor. In standard operators, which
   * every device has; ONNX Runtime fuses them into one on cpu.
   */
  matmul(a: string, b: string, { transposeA = false, transposeB = false, alpha = 1 } = {}): string {
    const swap = (x: string) => this.node("Transpose", [x], { attributes: { perm: [0, 1, 3, 2] } });
    const product = this.node("MatMul", [transposeA ? swap(a) : a, transposeB ? swap(b) : b]);
    return alpha === 1 ? product : this.node("Mul", [product, this.float(alpha)]);
  }

  input(name: string, dtype: Dtype, shape: Shape): string {
    this.#inputs.push(valueInfo(name, dtype, shape));
    return name;
  }

  /** A tensor stored in the model. */
  initializer(name: string, shape: readonly number[], data: Float32Array): string {
    this.#initializers.push({ name, dims: shape, dataType: ELEMENT.float32, rawData: bytesOf(data) });
    return name;
  }

  /** A float constant: a scalar, or a vector. */
  float(value: number | readonly number[]): string {
    return this.#constant("float32", value, (values) => bytesOf(Float32Array.from(values)));
  }

  /** An int64 constant, as shapes and axes are: a scalar, or a vector. */
  int(value: number | readonly number[]): string {
    return this.#constant("int64", value, (values) => bytesOf(BigInt64Array.from(values, BigInt)));
  }

  #constant(
    dtype: keyof typeof ELEMENT,
    value: number | readonly number[],
    encode: (values: readonly number[]) => Uint8Array,
  ): string {
    const values = typeof value === "number" ? [value] : value;
    const dims = typeof value === "number" ? [] : [values.length];
    const key = `${dtype} [${dims.join()}] ${values.join()}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = `constant:${this.#constants.size}`;
      this.#constants.set(key, name);
      this.#initializers.push({ name, dims, dataType: ELEMENT[dtype], rawData: encode(values) });
    }
    return name;
  }

  /** The model's bytes; each output is a value of this builder, renamed. */
  encode(
    outputs: readonly { readonly name: string; readonly value: string; readonly dtype: Dtype; readonly shape: Shape }[],
  ): Uint8Array {
    const renames = outputs.map(({ name, value }) => ({ opType: "Identity", input: [value], output: [name] }));
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      producerName: "cloze",
      opsetImport: [
        { domain: "", version: OPSET },
        { domain: MICROSOFT, version: 1 },
      ],
      graph: {
        name: "cloze",
        node: [...this.#nodes, ...renames],
        input: this.#inputs,
        output: outputs.map(({ name, dtype, shape }) => valueInfo(name, dtype, shape)),
        initializer: this.#initializers,
      },
    }).finish();
  }
}

function encodeAttribute(value: Attribute): object {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === "string") return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === "number") return { type: AttributeType.INT, i: value };
  if ("float" in value) return { type: AttributeType.FLOAT, f: value.float };
  return { type: AttributeType.INTS, ints: value };
}

function valueInfo(name: string, dtype: Dtype, shape: Shape): object {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENT[dtype], shape: { dim } } } };
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
