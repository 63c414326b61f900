/** The example programs, as a user runs them: they import "cloze", so they need the build. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const FOLDER = join(import.meta.dirname, "../examples");

/** A line of each program's output that shows that it got where it should. */
const SHOWS: Record<string, RegExp> = {
  "01-tokenizer.ts": /^\d+ windows of at most 16 tokens, each sharing 4 with the one before$/m,
  "02-graph.ts": /^reference +loss (\d+\.\d{4}).*\nonnx cpu +loss \1/m,
  "03-finetune.ts": /label: 'positive', score: .*\n.*label: 'negative', score: /,
  "04-fill-mask.ts": /^"once upon a " goes on: \w+, \w+, \w+$/m,
  "05-embeddings.ts": /^\[1, \d+, \d+\]: \[CLS\] 0-0, the 0-3, /m,
  "06-entities.ts": /word: 'Grace Hopper',\n(?:.*\n)*.*word: 'Buenos Aires',\n(?:.*\n)*PER: Ada Lovelace$/m,
  "07-questions.ts": /^who bought a red coat \? \{ answer: 'grace', start: 10, end: 15, /m,
  "08-similarity.ts": /^\[\s+\{\s+index: 1,\s+score: [\d.]+,\s+text: 'it stays hot all week'/m,
  "09-multiple-choice.ts": /^ {2}choice: 'cold air came in',$/m,
  "10-sweep.ts": /^rate 0\.001: accuracy .*\nrate 0\.00001: accuracy /m,
  "11-multi-label.ts": /^delivery: yes\nrefund: yes\nquality: no$/m,
  "12-zero-shot.ts": /labels: \[ 'music', .*\n(?:.*\n)*^food [\d.]+, weather /m,
};

describe.each(readdirSync(FOLDER))("%s", (name) => {
  test("runs and shows what it should", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", join(FOLDER, name)], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(SHOWS[name]);
  });

  test("is under 60 lines", () => {
    expect(readFileSync(join(FOLDER, name), "utf8").split("\n").length).toBeLessThan(60);
  });
});
