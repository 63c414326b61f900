/** Tokens as they come out of a text: growable columns of which the first `length` rows count. */
export class TokenBuffer {
  ids: Int32Array = new Int32Array(256);
  /** Start and end of each token, in UTF-16 units of the text: two entries a token. */
  offsets: Int32Array = new Int32Array(512);
  /** The number of the word that a token belongs to, counted from 0 in each text. */
  wordIds: Int32Array = new Int32Array(256);
  length = 0;
  /** The number of the next word. */
  nextWord = 0;

  clear(): void {
    this.length = 0;
    this.nextWord = 0;
  }

  push(id: number, start: number, end: number, word: number): void {
    if (this.length === this.ids.length) this.grow();
    this.ids[this.length] = id;
    this.offsets[2 * this.length] = start;
    this.offsets[2 * this.length + 1] = end;
    this.wordIds[this.length++] = word;
  }

  grow(): void {
    this.ids = doubled(this.ids);
    this.offsets = doubled(this.offsets);
    this.wordIds = doubled(this.wordIds);
  }
}

function doubled(column: Int32Array): Int32Array {
  const wider = new Int32Array(2 * column.length);
  wider.set(column);
  return wider;
}
