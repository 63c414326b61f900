/** Work that is done one piece after another, in the order in which it was asked for. */
export class Serial {
  /** Settles with the last piece that was asked for. */
  #last: Promise<unknown> = Promise.resolve();

  /** Does the work when all before it has ended, in success or failure. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {}); // the caller has the error; the next piece goes on
    return result;
  }
}
