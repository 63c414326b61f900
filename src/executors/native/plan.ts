import type { Bindings } from "../../graph/inputs.ts";
import type { KernelName } from "./families.ts";

/** How numbers are stored. */
export type Type = "float32" | "bfloat16" | "int32";

export const BYTES: Readonly<Record<Type, number>> = { float32: 4, bfloat16: 2, int32: 4 };

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
export type Whole = { readonly kind: "input" | "parameter" | "output"; readonly name: string } | Kept;

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

/** Some bytes of a place, from an offset on. */
export interface Part {
  readonly kind: "part";
  readonly of: Whole;
  readonly from: number;
  readonly bytes: Quantity;
}

export type Place = Whole | Part;

/** Numbers that a kernel reads or writes. */
export interface Stored<P extends Place = Place> {
  readonly place: P;
  readonly type: Type;
}

/** An argument of a kernel: a number, or a place, null where it is left out. */
export type Argument = Quantity | Place | null;

/** One call of a kernel; the order of the arguments is the kernel's (native/kernels). */
export interface Call {
  readonly kernel: KernelName;
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

/** Rows of a matrix: so many from the first on, of a length each. */
export function rowsOf(
  { place, type }: Stored<Whole>,
  { first, count, length }: { first: number; count: Quantity; length: number },
): Stored {
  const bytes = length * BYTES[type];
  return {
    place: { kind: "part", of: place, from: first * bytes, bytes: (run) => quantityIn(count, run) * bytes },
    type,
  };
}

export function wholeOf(place: Place): Whole {
  return place.kind === "part" ? place.of : place;
}

/** Names of the parameters that runs of a plan read or write where they lie. */
export function parametersIn({ calls }: Plan): ReadonlySet<string> {
  const places = calls.flatMap((call) => call.arguments.filter(isPlace).map(wholeOf));
  return new Set(places.flatMap((place) => (place.kind === "parameter" ? [place.name] : [])));
}

export function isPlace(argument: Argument): argument is Place {
  return typeof argument === "object" && argument !== null;
}

export function quantityIn(quantity: Quantity, run: RunSizes): number {
  return typeof quantity === "number" ? quantity : quantity(run);
}
