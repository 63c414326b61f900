interface Settable {
  set(values: ArrayLike<number>): void;
}

/** Copies an outgrown typed array into a larger one and returns the larger. */
export function moved<A extends Settable & ArrayLike<number>>(from: A, into: A): A {
  into.set(from);
  return into;
}
