import type { Bindings } from "../../graph/inputs.ts";

/** How numbers are stored. */
export type Type = "float32" | "bfloat16" | "int32";

/** What a run is given besides its buffers. */
export interface RunSizes {
  /** What the letters of the graph stand for. */
  readonly bindings: Bindings;
  /** Seed of the dropout masks. */
  readonly seed: number;
}

/** A number that is known when a run begins. */
export type Quantity = number | ((run: RunSizes) => number);

/**
 * Where a value lies: in one of the run's own buffers, or in memory that the executable keeps, either for some calls of a
 * run (`arena`) or, if it follows from a frozen parameter alone, for all runs (`constant`).
 */
export type Place = { readonly kind: "input" | "parameter" | "output"; readonly name: string } | Kept;

/** What the executable keeps. */
export type Kept = { readonly kind: "arena"; readonly bytes: Quantity } | Constant;

/** What is made of a frozen parameter. */
export interface Constant {
  readonly kind: "constant";
  readonly parameter: string;
  /** What it is made into, such as numbers of another type, or packed ones. */
  readonly form: string;
  readonly bytes: Quantity;
}

/** Numbers that a kernel reads or writes. */
export interface Stored {
  readonly place: Place;
  readonly type: Type;
}

/** An argument of a kernel: a number, or a place, null where it is left out. */
export type Argument = Quantity | Place | null;

/** One call of a kernel; the order of the arguments is the kernel's (native/kernels). */
export interface Call {
  readonly kernel: string;
  readonly arguments: readonly Argument[];
}

/** A constant, and the call that makes it of its parameter. */
export interface Preparation {
  readonly constant: Constant;
  readonly call: Call;
}

/** A graph as calls of kernels: `prepare` once, where parameters are frozen, and `calls` in each run. */
export interface Plan {
  readonly prepare: readonly Preparation[];
  readonly calls: readonly Call[];
}

export function isPlace(argument: Argument): argument is Place {
  return typeof argument === "object" && argument !== null;
}

export function quantityIn(quantity: Quantity, run: RunSizes): number {
  return typeof quantity === "number" ? quantity : quantity(run);
}
