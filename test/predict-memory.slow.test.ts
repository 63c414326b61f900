/** `cloze predict` never holds its file in memory: it reads one of 100 MB with a heap of less, and grows little. */
import { spawnSync } from "node:child_process";
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAIN } from "./command-line.ts";
import { writeTinyModel } from "./tiny-model.ts";

/** MiB of the JavaScript heap; what of a file is kept outside it shows in the memory of the process. */
const HEAP = 64;
/** Bytes of the process that a large file may cost above a small one, which takes 30 MB to collect what was let go. */
const SLACK = 64 * 2 ** 20;
const ROWS = { small: 1000, large: 26_000 };

let folder: string;
let model: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cloze-predict-memory-"));
  model = await writeTinyModel(join(folder, "model"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const textOf = (row: number) => `${row} ${row % 2 === 0 ? "good" : "bad"} ${`${"word".repeat(30)} `.repeat(33)}`;

/** Writes rows of some 4 kB with few tokens, so that reading them is most of the work. */
function writeFile(format: string, rows: number): string {
  const path = join(folder, `${rows}.${format}`);
  const file = openSync(path, "w");
  for (let row = 0; row < rows; row++) {
    writeSync(file, `${format === "txt" ? textOf(row) : JSON.stringify({ text: textOf(row) })}\n`);
  }
  closeSync(file);
  return path;
}

/** Predicts for a file; returns the most bytes that the process had. */
function predict(input: string, output: string): number {
  const told = `process.on("exit", () => console.error("kB", process.resourceUsage().maxRSS))`;
  const node = [`--max-old-space-size=${HEAP}`, "--import", `data:text/javascript,${encodeURIComponent(told)}`];
  const args = [...node, MAIN, "predict", model, "--input", input, "--output", output, "--threads", "1"];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return 1024 * Number(/^kB (\d+)$/m.exec(stderr)?.[1]);
}

test.each(["txt", "jsonl"])("of a large .%s file", async (format) => {
  const [small, large] = [writeFile(format, ROWS.small), writeFile(format, ROWS.large)];
  expect(statSync(large).size).toBeGreaterThan(1.4 * HEAP * 2 ** 20);
  const output = join(folder, `${format}.answers.jsonl`);
  const least = predict(small, output);
  const most = predict(large, output);
  let rows = 0;
  for await (const line of createInterface({ input: createReadStream(output) })) {
    const { text, label } = JSON.parse(line);
    if (!text.startsWith(`${rows} `)) expect(text).toBe(textOf(rows)); // each in its place
    expect(label).toMatch(/^(negative|positive)$/);
    rows++;
  }
  expect(rows).toBe(ROWS.large);
  expect(most - least).toBeLessThan(SLACK);
});
