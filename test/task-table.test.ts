/** Every task of the table is told of and shown: adding one without that fails here. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { PREDICTIONS } from "../src/tasks/pipelines/predictions.node.ts";
import { evaluate, finetune, sweep, TASK_NAMES, TASKS, type TaskName } from "../src/tasks/task-table.node.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const examples = readdirSync(join(ROOT, "examples")).map((name) => read(`examples/${name}`));

describe.each(TASK_NAMES)("%s", (name) => {
  test("has a section and a row in docs/tasks.md, and a row in the README", () => {
    const docs = read("docs/tasks.md");
    expect(docs).toContain(`\n## ${name}\n`);
    expect(docs).toContain(`\n| [${name}](#${name}) | `);
    expect(read("README.md")).toContain(`\n| \`${name}\` | `);
  });

  test("has an example", () => {
    expect(examples.filter((text) => text.includes(`finetune("${name}"`)).length).toBeGreaterThan(0);
  });

  test("is predicted by its own row", () => {
    expect(PREDICTIONS[name]).toBe(TASKS[name].prediction);
  });

  test("shows itself in --help", async () => {
    const { code, stdout } = await cloze(["finetune", name, "--help"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(TASKS[name].example) });
  });
});

test("docs/adding-a-task.md shows the task of regression as it is", () => {
  const [, block] = /whole but for its imports:\n\n```ts\n(.*?)```\n/s.exec(read("docs/adding-a-task.md")) ?? [];
  const source = read("src/tasks/definitions/regression.ts").replace(/^(import .*;\n)+\n/, "");
  expect(source).not.toContain("import ");
  expect(block).toBe(source);
});

test("a program is told of a task that there is not, and of an option", async () => {
  const unknown: TaskName = JSON.parse('"foo"');
  const files = { train: "none.tsv", output: "none" };
  for (const call of [() => finetune(unknown, files), () => sweep(unknown, files), () => evaluate(unknown, "m", "d")]) {
    await expectError(call(), "OPTION_INVALID", "text-classification, ", "got foo");
  }
  await expectError(pipeline(JSON.parse('"foo"')), "OPTION_INVALID", "sentiment-analysis");
  const misspelt = { ...files, learningrate: 1e-3 };
  await expectError(finetune("regression", misspelt), "OPTION_INVALID", "no option learningrate", "scoreColumn");
  await expectError(pipeline("fill-mask", "none", JSON.parse('{"thread":1}')), "OPTION_INVALID", "thread;", "threads");
});
