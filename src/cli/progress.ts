import cliProgress from "cli-progress";
import { LINE_INTERVAL } from "./count.ts";

export interface Progress {
  /** `note` stands behind the counts: a loss, a rate. */
  update(done: number, note: string): void;
  /** Prints a line of its own, above the bar. */
  line(text: string): void;
  stop(): void;
}

/**
 * A bar with the time left on a terminal, a plain line now and then elsewhere; on standard error either way.
 *
 * @param from how many are done by now: the time left is judged by those that follow
 */
export function showProgress(what: string, total: number, from = 0): Progress {
  return process.stderr.isTTY ? bar(what, total, from) : plainLines(what, total, from);
}

/** Prints a line of its own on standard error, above the bar if it is there by now. */
export function printLine(progress: Progress | undefined, text: string): void {
  if (progress === undefined) console.error(text);
  else progress.line(text);
}

function bar(what: string, total: number, from: number): Progress {
  const started = Date.now();
  const inner = new cliProgress.SingleBar({
    stream: process.stderr,
    // Nothing to restore where the program ends before `stop`: the cursor stays, wrapping too; long lines are cut.
    hideCursor: false,
    linewrap: true,
    clearOnComplete: false,
    format: (options, { progress, value, total }, { note }: { note: string }) =>
      `${what} ${cliProgress.Format.BarFormat(progress, options)} ${value}/${total}  ${note}  ${timeLeft(started, value - from, total - value)}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
  });
  inner.start(total, from, { note: "" });
  return {
    update: (done, note) => inner.update(done, { note }),
    line(text) {
      process.stderr.write(`\r\x1b[K${text}\n`);
    },
    stop: () => inner.stop(),
  };
}

function plainLines(what: string, total: number, from: number): Progress {
  const started = Date.now();
  let next = started + LINE_INTERVAL;
  return {
    update(done, note) {
      if (Date.now() < next && done < total) return;
      next = Date.now() + LINE_INTERVAL;
      console.error(`${what} ${done}/${total}  ${note}  ${timeLeft(started, done - from, total - done)}`);
    },
    line: (text) => console.error(text),
    stop() {},
  };
}

function timeLeft(started: number, done: number, left: number): string {
  if (left <= 0) return `${formatSeconds((Date.now() - started) / 1000)} taken`;
  if (done <= 0) return "";
  return `${formatSeconds(((Date.now() - started) / 1000 / done) * left)} left`;
}

/** 75 -> "1m15s" */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, "0")}m`;
  return minutes > 0 ? `${minutes}m${String(whole % 60).padStart(2, "0")}s` : `${whole}s`;
}
