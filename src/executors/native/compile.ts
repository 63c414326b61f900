import { ClozeError } from "../../base/errors.ts";
import { dropoutSites } from "../../graph/dropout-mask.ts";
import type { Graph } from "../../graph/graph.ts";
import { type AnyNode, type AnyTensor, isNode, type NodeOf, type Tensor } from "../../graph/operations.ts";
import type { KernelName } from "./families.ts";
import { findFusions, isProduct, type ProductNode, readersIn, rowAddition } from "./fusion.ts";
import { LAYOUT } from "./layout.ts";
import { LOSS_RULES } from "./loss.ts";
import { lower } from "./lower.ts";
import { count, dim, type Lowering, typeNumber } from "./lowering.ts";
import {
  type Argument,
  BYTES,
  type Call,
  type Kept,
  type Place,
  type Plan,
  type Preparation,
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
  /** Linear layers with frozen weights are computed in 8-bit integers. Default false. */
  readonly int8?: boolean;
  /** Columns of a panel that right sides of products are packed into. */
  readonly panelColumns: number;
}

/** Inner indices whose products of 8 bits surely have sums of less than 32 bits. */
const MAX_INT8_INNER = Math.floor(2 ** 31 / (255 * 127));

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
  readonly #int8: boolean;
  readonly #panelColumns: number;
  readonly #prepare: Preparation[] = [];
  readonly #calls: Call[] = [];
  readonly #stored = new Map<AnyTensor, Stored<Whole>>();
  /** What was made of each tensor, by its form. */
  readonly #derived = new Map<AnyTensor, Map<string, Place>>();
  readonly #shared: { readonly a: AnyTensor; readonly b: AnyTensor; readonly place: Place }[] = [];
  readonly #kept = new Map<AnyNode, Readonly<Record<string, Place>>>();
  readonly #sites: ReadonlyMap<AnyNode, number>;
  readonly #fusions: ReadonlyMap<AnyNode, AnyNode>;
  #lowered: AnyNode | undefined;
  /** Tensors that are made where the sum is to be which adds to them. */
  readonly #sums: ReadonlyMap<AnyTensor, AnyTensor>;
  readonly #outputs: ReadonlyMap<AnyTensor, string>;
  readonly #readers: ReadonlyMap<AnyTensor, readonly AnyNode[]>;
  /** Tensors that a loss reads. */
  readonly #judged: ReadonlySet<AnyTensor>;

  constructor(graph: Graph, { activationType, frozen, int8 = false, panelColumns }: CompileOptions) {
    this.activationType = activationType;
    this.#graph = graph;
    this.#frozen = frozen;
    this.#int8 = int8;
    this.#panelColumns = panelColumns;
    this.#sites = dropoutSites(graph);
    this.#fusions = findFusions(graph);
    this.#sums = new Map([...this.#fusions].flatMap(inPlace));
    this.#outputs = new Map(Object.entries(graph.outputs).map(([name, tensor]) => [tensor, name]));
    this.#readers = readersIn(graph);
    this.#judged = new Set(
      graph.nodes.filter(({ op }) => op in LOSS_RULES).flatMap((node): AnyTensor[] => Object.values(node.inputs)),
    );
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

  call(kernel: KernelName, ...args: readonly Argument[]): void {
    this.#calls.push({ kernel, arguments: args });
  }

  stored(tensor: AnyTensor): Stored<Whole> {
    const stored = this.#stored.get(tensor);
    if (stored !== undefined) return stored;
    throw new ClozeError("INTERNAL", { problem: `${tensor.node.op} was read before it was lowered` });
  }

  read(tensor: AnyTensor, type?: Type): Place {
    const stored = this.stored(tensor);
    if (type === undefined || stored.type === type) return stored.place;
    const size = count(tensor.shape);
    return this.#derive(tensor, type, bytesOf(size, type), (place) => ({
      kernel: "convert",
      arguments: [stored.place, typeNumber(stored.type), place, typeNumber(type), size],
    }));
  }

  packed(...[right, { inner, columns }, transposed, part]: Parameters<Lowering["packed"]>): Place {
    const { place: source, type } = part ?? this.stored(right);
    const number = this.activationType;
    const [rows, width] = [dim(inner), dim(columns)];
    const size: Quantity = (run) =>
      roundUp(quantityIn(rows, run), LAYOUT.group[number]) * roundUp(quantityIn(width, run), this.#panelColumns);
    const from = source.kind === "part" ? `, from byte ${source.from}` : "";
    const form = `${this.#panelsOf(number, transposed)}${from}`;
    return this.#derive(right, form, bytesOf(size, number), (place) => ({
      kernel: "packRight",
      arguments: [typeNumber(number), source, typeNumber(type), Number(transposed), rows, width, place],
    }));
  }

  isQuantized({ node, shape: [, inner] }: Tensor): boolean {
    return this.#int8 && this.#isFrozen(node) && Number(inner) <= MAX_INT8_INNER;
  }

  quantizedRows(left: Tensor): Place {
    const { place: source, type } = this.stored(left);
    const [rows, inner] = left.shape.map(dim);
    const bytes: Quantity = (run) =>
      roundUp(quantityIn(rows, run), LAYOUT.quantizedRows) * quantizedBytes(quantityIn(inner, run));
    return this.#derive(left, "int8 rows", bytes, (place) => ({
      kernel: "quantizeRows",
      arguments: [source, typeNumber(type), rows, inner, place],
    }));
  }

  quantizedPanels(weight: Tensor): Place {
    const [columns, inner] = weight.shape.map(dim);
    const bytes: Quantity = (run) =>
      roundUp(quantityIn(columns, run), this.#panelColumns) * quantizedBytes(quantityIn(inner, run));
    return this.#derive(weight, this.#panelsOf("int8", true), bytes, (place) => ({
      kernel: "packQuantized",
      arguments: [this.read(weight, "float32"), inner, columns, place],
    }));
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

  isRead(tensor: AnyTensor, but?: AnyNode): boolean {
    return this.#outputs.has(tensor) || (this.#readers.get(tensor) ?? []).some((reader) => reader !== but);
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

  /** The form of a packed right side; it tells all that kernels must know to read it. */
  #panelsOf(number: "float32" | "bfloat16" | "int8", transposed: boolean): string {
    return `${number} panels of ${this.#panelColumns} ${transposed ? "rows" : "columns"}`;
  }

  /** Where a form of a tensor lies: made by one call, when it is first asked for, and once if it follows from a frozen one. */
  #derive(tensor: AnyTensor, form: string, bytes: Quantity, make: (place: Place) => Call): Place {
    const forms = this.#derived.get(tensor) ?? new Map<string, Place>();
    this.#derived.set(tensor, forms);
    const known = forms.get(form);
    if (known !== undefined) return known;
    const place = this.#placeOf(tensor.node, form, bytes);
    const call = make(place);
    if (place.kind === "constant") this.#prepare.push({ constant: place, call });
    else this.#calls.push(call);
    // A weight that changes is used once in each form, or again much later, in a layer that is recomputed: too long to stay.
    if (this.#frozen || !isNode(tensor.node, "parameter")) forms.set(form, place);
    return place;
  }

  #placeOf(node: AnyNode, form: string, bytes: Quantity): Kept {
    if (!this.#isFrozen(node)) return { kind: "arena", bytes };
    // Whole cache lines, so that the next one in a file of them begins at one too.
    const whole: Quantity = (run) => roundUp(quantityIn(bytes, run), LAYOUT.cacheLine);
    return { kind: "constant", parameter: node.attributes.name, form, bytes: whole };
  }

  #isFrozen(node: AnyNode): node is NodeOf<"parameter"> {
    return this.#frozen && isNode(node, "parameter");
  }
}

/** What a sum adds rows to, and the sum itself, which is made in its place. */
function inPlace([rows, sum]: [AnyNode, AnyNode]): [AnyTensor, AnyTensor][] {
  const addition = isNode(rows, "scatterAdd") && isNode(sum, "add") ? rowAddition(sum) : undefined;
  return addition === undefined ? [] : [[addition.base, sum.outputs[0]]];
}

function bytesOf(numbers: Quantity, type: Type): Quantity {
  return (run) => quantityIn(numbers, run) * BYTES[type];
}

/** Of so many quantized numbers and their code. */
function quantizedBytes(inner: number): number {
  return roundUp(inner, LAYOUT.group.int8) + LAYOUT.quantizedCode;
}

function roundUp(number: number, step: number): number {
  return Math.ceil(number / step) * step;
}
