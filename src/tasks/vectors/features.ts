/** Features as programs get them: the `dims`, `data` and `tolist()` that tensors have in transformers.js. */
export interface FeatureTensor {
  readonly dims: readonly number[];
  /** Row by row. */
  readonly data: Float32Array;
  tolist(): number[][] | number[][][];
}

/** The features of texts, a row each [texts, W]. */
export class PooledFeatures implements FeatureTensor {
  readonly dims: readonly [texts: number, width: number];
  readonly data: Float32Array;
  /** Texts that were too long and cut. */
  readonly truncated: number;

  constructor(rows: readonly Float32Array[], width: number, truncated: number) {
    this.dims = [rows.length, width];
    this.data = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      this.data.set(row, i * width);
    });
    this.truncated = truncated;
  }

  tolist(): number[][] {
    return listOfRows(this.data, this.dims[1]);
  }
}

/** The features of one text's tokens [1, S, W], and what the tokens are. */
export class TokenFeatures implements FeatureTensor {
  readonly dims: readonly [texts: 1, tokens: number, width: number];
  readonly data: Float32Array;
  /** The tokens, [CLS] and [SEP] among them. */
  readonly tokens: readonly string[];
  /** Start and end of each token in its text, in UTF-16 code units: two entries a token, both 0 for [CLS] and [SEP]. */
  readonly offsets: Int32Array;
  /** Whether the text was too long and cut. */
  readonly truncated: boolean;

  constructor(
    rows: Float32Array,
    width: number,
    { tokens, offsets, truncated }: Pick<TokenFeatures, "tokens" | "offsets" | "truncated">,
  ) {
    this.dims = [1, tokens.length, width];
    this.data = rows;
    this.tokens = tokens;
    this.offsets = offsets;
    this.truncated = truncated;
  }

  tolist(): number[][][] {
    return [listOfRows(this.data, this.dims[2])];
  }
}

function listOfRows(data: Float32Array, width: number): number[][] {
  return Array.from({ length: data.length / width }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]);
}
