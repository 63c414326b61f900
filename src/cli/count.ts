/** Milliseconds between plain lines, where there is no terminal. */
export const LINE_INTERVAL = 5000;

export interface Count {
  update(done: number): void;
  stop(): void;
}

/** Progress where nobody knows how many there will be: a count and a rate, on standard error. */
export function showCount(what: string, of: string): Count {
  const started = Date.now();
  let next = started + LINE_INTERVAL;
  const { isTTY } = process.stderr;
  return {
    update(done) {
      const rate = Math.round((1000 * done) / Math.max(1, Date.now() - started));
      const text = `${what} ${done.toLocaleString("en")} ${of}  ${rate.toLocaleString("en")} ${of}/s`;
      if (isTTY) process.stderr.write(`\r\x1b[K${text}`);
      if (isTTY || Date.now() < next) return;
      next = Date.now() + LINE_INTERVAL;
      console.error(text);
    },
    stop() {
      if (isTTY) process.stderr.write("\r\x1b[K");
    },
  };
}
