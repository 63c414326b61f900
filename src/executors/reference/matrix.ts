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
  const totals = logSumExpRows(a);
  return matrix(a.rows, a.columns, (row, column) => Math.exp(at(a, row, column) - totals[row]));
}

/** log Σ exp of each row, shifted by the row's largest entry so that nothing overflows. */
export function logSumExpRows(a: Matrix): Float64Array {
  return vector(a.rows, (row) => {
    const largest = Math.max(...a.data.subarray(row * a.columns, (row + 1) * a.columns));
    return largest + Math.log(sum(a.columns, (column) => Math.exp(at(a, row, column) - largest)));
  });
}
