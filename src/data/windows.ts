/** A window over a text's tokens, as far as it matters here: how many tokens of the text it holds. */
export interface WindowSize {
  readonly length: number;
}

/** Where a token of a text is looked at: in which window, at which of the window's tokens of the text. */
export interface TokenPlace {
  readonly window: number;
  readonly index: number;
}

/** The first token of each window in the text: all but the last are full and repeat `stride` tokens of the one before. */
export function windowStarts(windows: readonly WindowSize[], stride: number): number[] {
  // A text may be shorter than the stride, and then has one window.
  return windows.map((_, window) => (window === 0 ? 0 : window * (windows[0].length - stride)));
}

/**
 * For each token of a text the window that shows most on both sides of it, the first of equals (Devlin's "maximum
 * context" of SQuAD: the smaller side counts). The windows cover the text, each repeating `stride` tokens.
 */
export function bestPlaces(windows: readonly WindowSize[], stride: number): TokenPlace[] {
  const places: TokenPlace[] = [];
  const context: number[] = [];
  windowStarts(windows, stride).forEach((start, window) => {
    const { length } = windows[window];
    for (let index = 0; index < length; index++) {
      const seen = Math.min(index, length - 1 - index);
      const token = start + index;
      if (token < places.length && seen <= context[token]) continue;
      places[token] = { window, index };
      context[token] = seen;
    }
  });
  return places;
}
