/** Rows of numbers, one after another. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** The vector of these entries. */
export function vector(length: number, entry: (index: number) => number): Float64Array {
  return Float64Array.from({ length }, (_, index) => entry(index));
}

/** The matrix of these entries. */
export function matrix(rows: number, columns: number, entry: (row: number, column: number) => number): Matrix {
  const data = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) data[row * columns + column] = entry(row, column);
  }
  return { rows, columns, data };
}

export function at({ columns, data }: Matrix, row: number, column: number): number {
  return data[row * columns + column];
}

/** The sum of `count` terms. */
export function sum(count: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += term(index);
  return total;
}

export function transpose(a: Matrix): Matrix {
  return matrix(a.columns, a.rows, (row, column) => at(a, column, row));
}

/** a · b */
export function product(a: Matrix, b: Matrix): Matrix {
  return matrix(a.rows, b.columns, (row, column) => sum(a.columns, (k) => at(a, row, k) * at(b, k, column)));
}

/** The softmax of each row. */
export function softmaxRows(a: Matrix): Matrix {
  const logarithms = logSoftmaxRows(a);
  return matrix(a.rows, a.columns, (row, column) => Math.exp(at(logarithms, row, column)));
}

/** The logarithm of the softmax of each row, which is shifted by its largest entry so that nothing overflows. */
export function logSoftmaxRows(a: Matrix): Matrix {
  const largest = vector(a.rows, (row) => Math.max(...a.data.subarray(row * a.columns, (row + 1) * a.columns)));
  const shifted = matrix(a.rows, a.columns, (row, column) => at(a, row, column) - largest[row]);
  const totals = vector(a.rows, (row) => Math.log(sum(a.columns, (column) => Math.exp(at(shifted, row, column)))));
  return matrix(a.rows, a.columns, (row, column) => at(shifted, row, column) - totals[row]);
}
