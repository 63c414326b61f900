import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../src");

/** What tasks are made of. */
const UNDER_TASKS = ["base", "graph", "data", "formats", "optim", "tokenizer", "bert", "heads", "metrics", "train"];

/** What each folder of src/ may import from, besides itself. Data flows down this list. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  tokenizer: ["base", "formats"],
  formats: ["base"],
  graph: ["base"],
  "executors/reference": ["base", "graph"],
  "executors/native": ["base", "graph", "optim"],
  "executors/onnx": ["base", "graph"],
  executors: ["base", "graph", "optim", "executors/native", "executors/onnx"],
  bert: ["base", "graph"],
  heads: ["base", "graph", "bert"],
  data: ["base", "graph"],
  corpus: ["base", "formats", "tokenizer", "data"],
  optim: ["base"],
  metrics: ["base", "data"],
  train: ["base", "graph", "data", "formats", "optim"],
  "tasks/run": UNDER_TASKS,
  "tasks/folder": [...UNDER_TASKS, "executors"],
  "tasks/definitions": [...UNDER_TASKS, "executors", "tasks/run", "tasks/folder"],
  "tasks/readers": [...UNDER_TASKS, "tasks/run", "tasks/definitions"],
  "tasks/finetuning": [...UNDER_TASKS, "executors", "tasks/run", "tasks/folder", "tasks/definitions"],
  "tasks/pretraining": [...UNDER_TASKS, "executors", "corpus", "tasks/run", "tasks/folder"],
  "tasks/words": [...UNDER_TASKS, "executors", "tasks/run", "tasks/folder"],
  "tasks/vectors": [...UNDER_TASKS, "executors", "tasks/run", "tasks/folder"],
  tasks: [
    ...UNDER_TASKS,
    "executors",
    ...["run", "folder", "definitions", "readers", "finetuning"].map((name) => `tasks/${name}`),
  ],
  "tasks/pipelines": [
    ...UNDER_TASKS,
    "executors",
    "tasks",
    ...["run", "folder", "definitions", "readers", "words", "vectors"].map((name) => `tasks/${name}`),
  ],
  cli: [
    ...UNDER_TASKS,
    "corpus",
    "executors",
    "tasks",
    ...["run", "folder", "definitions", "readers", "finetuning", "pretraining", "words", "vectors", "pipelines"].map(
      (name) => `tasks/${name}`,
    ),
  ],
};

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly imports: readonly string[];
}

const files: SourceFile[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith(".as.ts"))
  .map((name) => {
    const text = readFileSync(join(SRC, name), "utf8");
    const specifiers = [...text.matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)].map(
      (match) => match[1] ?? match[2],
    );
    return {
      path: name,
      folder: folderOf(name),
      imports: specifiers.map((specifier) => relative(SRC, join(SRC, dirname(name), specifier))),
    };
  });

/** The longest folder of the table that holds a file; files of src/ itself are the package's entries. */
function folderOf(path: string): string {
  return (
    Object.keys(MAY_IMPORT)
      .filter((folder) => path.startsWith(`${folder}/`))
      .sort((a, b) => b.length - a.length)[0] ?? (path.includes("/") ? `unknown folder of ${path}` : "entry")
  );
}

describe("the import graph", () => {
  it("has a row for every folder", () => {
    expect(files.filter(({ folder }) => folder.startsWith("unknown"))).toEqual([]);
  });

  it("runs downward only", () => {
    const upward = files.flatMap(({ path, folder, imports }) =>
      folder === "entry"
        ? []
        : imports
            .filter((target) => folderOf(target) !== folder && !MAY_IMPORT[folder].includes(folderOf(target)))
            .map((target) => `${path} -> ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it("has no cycles", () => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]) => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      if (done.has(path) || trail.includes(path)) return;
      for (const target of byPath.get(path)?.imports ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it("names no folder or file utils, helpers or common", () => {
    expect(files.filter(({ path }) => /\b(utils?|helpers?|common)\b/i.test(path))).toEqual([]);
  });
});
