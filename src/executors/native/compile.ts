import { ClozeError } from "../../base/errors.ts";
import { dropoutSites } from "../../graph/dropout-mask.ts";
import type { Graph } from "../../graph/graph.ts";
import { type AnyNode, type AnyTensor, isNode } from "../../graph/operations.ts";
import { findFusions, isProduct, type ProductNode, rowAddition } from "./fusion.ts";
import { lower } from "./lower.ts";
import { count, dim, type Lowering, typeNumber } from "./lowering.ts";
import {
  type Argument,
  BYTES,
  type Call,
  type Place,
  type Plan,
  type Quantity,
  quantityIn,
  type Stored,
  type Type,
  type Whole,
} from "./plan.ts";

export interface CompileOptions {
  /** What products are computed in and activations are stored as. */
  readonly activationType: "float32" | "bfloat16";
  /** Parameters stay as they are: what follows from them alone is computed once. */
  readonly frozen: boolean;
}

/** Columns that packed right sides are filled up to: a multiple of any kernel's panel. */
const PANEL = 32;

/** Lowers a graph to calls of kernels. */
export function compileNative(graph: Graph, options: CompileOptions): Plan {
  const compiler = new Compiler(graph, options);
  for (const node of graph.nodes) compiler.lower(node);
  return compiler.finish();
}

class Compiler implements Lowering {
  readonly activationType: "float32" | "bfloat16";
  readonly #graph: Graph;
  readonly #frozen: boolean;
  readonly #prepare: Call[] = [];
  readonly #calls: Call[] = [];
  readonly #stored = new Map<AnyTensor, Stored<Whole>>();
  readonly #converted = new Map<AnyTensor, Stored>();
  readonly #packed = new Map<AnyTensor, { plain?: Place; transposed?: Place }>();
  readonly #shared: { readonly a: AnyTensor; readonly b: AnyTensor; readonly place: Place }[] = [];
  readonly #kept = new Map<AnyNode, Readonly<Record<string, Place>>>();
  readonly #sites: ReadonlyMap<AnyNode, number>;
  readonly #fusions: ReadonlyMap<AnyNode, AnyNode>;
  #lowered: AnyNode | undefined;
  /** Tensors that are made where the sum is to be which adds to them. */
  readonly #sums: ReadonlyMap<AnyTensor, AnyTensor>;
  readonly #outputs: ReadonlyMap<AnyTensor, string>;
  /** Tensors that some node reads. */
  readonly #read: ReadonlySet<AnyTensor>;
  /** Tensors that a loss reads. */
  readonly #judged: ReadonlySet<AnyTensor>;

  constructor(graph: Graph, { activationType, frozen }: CompileOptions) {
    this.activationType = activationType;
    this.#graph = graph;
    this.#frozen = frozen;
    this.#sites = dropoutSites(graph);
    this.#fusions = findFusions(graph);
    this.#sums = new Map([...this.#fusions].flatMap(inPlace));
    this.#outputs = new Map(Object.entries(graph.outputs).map(([name, tensor]) => [tensor, name]));
    this.#read = new Set(graph.nodes.flatMap((node): AnyTensor[] => Object.values(node.inputs)));
    this.#judged = new Set(graph.nodes.filter(isLoss).flatMap((node): AnyTensor[] => Object.values(node.inputs)));
  }

  lower(node: AnyNode): void {
    if (isNode(node, "input") || isNode(node, "parameter")) {
      const [tensor] = node.outputs;
      this.#stored.set(tensor, { place: { kind: node.op, name: node.attributes.name }, type: tensor.dtype });
    }
    if (this.isTaken(node)) return;
    this.#lowered = node;
    lower(node, this);
  }

  /** Outputs that lie elsewhere are copied: those with two names, inputs and parameters, and activations. */
  finish(): Plan {
    for (const [name, tensor] of Object.entries(this.#graph.outputs)) {
      const { place, type } = this.stored(tensor);
      if (place.kind === "output" && place.name === name) continue;
      this.call("convert", place, typeNumber(type), { kind: "output", name }, 0, count(tensor.shape));
    }
    return { prepare: this.#prepare, calls: this.#calls };
  }

  call(kernel: string, ...args: readonly Argument[]): void {
    this.#calls.push({ kernel, arguments: args });
  }

  stored(tensor: AnyTensor): Stored<Whole> {
    const stored = this.#stored.get(tensor);
    if (stored !== undefined) return stored;
    throw new ClozeError("INTERNAL", { problem: `${tensor.node.op} was read before it was lowered` });
  }

  read(tensor: AnyTensor, type: Type = "int32"): Place {
    const stored = this.stored(tensor);
    if (stored.type === type) return stored.place;
    const known = this.#converted.get(tensor); // there are two types of floats, so one conversion of each
    if (known !== undefined) return known.place;
    const { place, calls } = this.#derive(tensor, bytesOf(count(tensor.shape), type));
    const types = [typeNumber(stored.type), typeNumber(type)];
    calls.push({ kernel: "convert", arguments: [stored.place, types[0], place, types[1], count(tensor.shape)] });
    this.#converted.set(tensor, { place, type });
    return place;
  }

  packed(...[right, { inner, columns }, transposed, part]: Parameters<Lowering["packed"]>): Place {
    const known = this.#packed.get(right) ?? {};
    const form = transposed ? "transposed" : "plain";
    if (part === undefined && known[form] !== undefined) return known[form];
    const { place: source, type } = part ?? this.stored(right);
    const [rows, width] = [dim(inner), dim(columns)];
    const size: Quantity = (run) =>
      Math.ceil(quantityIn(rows, run) / 2) * 2 * Math.ceil(quantityIn(width, run) / PANEL) * PANEL;
    const { place, calls } = this.#derive(right, bytesOf(size, this.activationType));
    const args = [source, typeNumber(type), Number(transposed), rows, width, place];
    calls.push({ kernel: "packRight", arguments: [typeNumber(this.activationType), ...args] });
    // A weight that changes is used once in each form, or again much later, in a layer that is recomputed: too long to stay.
    const stays = this.#frozen || !isNode(right.node, "parameter");
    if (stays && part === undefined) this.#packed.set(right, { ...known, [form]: place });
    return place;
  }

  write(tensor: AnyTensor, type: Type = this.#typeOf(tensor)): Stored<Whole> {
    const name = this.#outputs.get(this.#sums.get(tensor) ?? tensor);
    const place: Whole =
      name !== undefined && type !== "bfloat16"
        ? { kind: "output", name }
        : { kind: "arena", bytes: bytesOf(count(tensor.shape), type) };
    const stored = { place, type };
    this.#stored.set(tensor, stored);
    return stored;
  }

  writeOver(tensor: AnyTensor, base: AnyTensor): Stored<Whole> {
    const stored = this.stored(base);
    this.#stored.set(tensor, stored);
    return stored;
  }

  isRead(tensor: AnyTensor): boolean {
    return this.#read.has(tensor) || this.#outputs.has(tensor);
  }

  scratch(size: Quantity, type: Type = "float32"): Place {
    return { kind: "arena", bytes: bytesOf(size, type) };
  }

  keep(node: AnyNode, places: Readonly<Record<string, Place>>): void {
    this.#kept.set(node, places);
  }

  kept(node: AnyNode, name: string): Place {
    return this.#kept.get(node)![name];
  }

  site(forward: AnyNode): number {
    return this.#sites.get(forward)!;
  }

  fused({ node }: AnyTensor): ProductNode | undefined {
    if (this.#fusions.get(node) !== this.#lowered) return undefined;
    if (isNode(node, "dropout")) return this.fused(node.inputs.x);
    return isProduct(node) ? node : undefined;
  }

  isTaken(node: AnyNode): boolean {
    return this.#fusions.has(node);
  }

  takenBy(taker: AnyNode): readonly AnyNode[] {
    return [...this.#fusions].filter(([, node]) => node === taker).map(([taken]) => taken);
  }

  shared(a: AnyTensor, b: AnyTensor, make: () => Place): Place {
    const known = this.#shared.find((entry) => entry.a === a && entry.b === b);
    if (known !== undefined) return known.place;
    const place = make();
    this.#shared.push({ a, b, place });
    return place;
  }

  /** Floats where 8 bits of precision are too few; fixed shapes are those of parameters' gradients. */
  #typeOf(tensor: AnyTensor): Type {
    if (tensor.dtype === "int32") return "int32";
    const fixed = tensor.shape.every((d) => typeof d === "number");
    const wide = fixed || tensor.shape.length < 2 || this.#outputs.has(tensor) || this.#judged.has(tensor);
    return wide ? "float32" : this.activationType;
  }

  /** Room for what follows from one tensor alone, and the calls to which its making belongs. */
  #derive({ node }: AnyTensor, bytes: Quantity): { place: Place; calls: Call[] } {
    const once = this.#frozen && isNode(node, "parameter");
    return { place: { kind: once ? "constant" : "arena", bytes }, calls: once ? this.#prepare : this.#calls };
  }
}

/** What a sum adds rows to, and the sum itself, which is made in its place. */
function inPlace([rows, sum]: [AnyNode, AnyNode]): [AnyTensor, AnyTensor][] {
  const addition = isNode(rows, "scatterAdd") && isNode(sum, "add") ? rowAddition(sum) : undefined;
  return addition === undefined ? [] : [[addition.base, sum.outputs[0]]];
}

function isLoss({ op }: AnyNode): boolean {
  return /CrossEntropy|squaredError|accuracy/.test(op);
}

function bytesOf(numbers: Quantity, type: Type): Quantity {
  return (run) => quantityIn(numbers, run) * BYTES[type];
}
