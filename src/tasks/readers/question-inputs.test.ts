/** Questions to answer, from files of several kinds. */
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { InputCounts } from "../run/input-counts.ts";
import { parseOptions } from "../run/parse-options.ts";
import { questionInputs } from "./question-inputs.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-question-inputs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return Readable.from(
    questionInputs.read(path, parseOptions(questionInputs.reading, {}), new InputCounts()),
  ).toArray();
}

test("a table is known by its content", async () => {
  const columns = { question: ["w"], context: ["a b"] };
  const columnData = Object.entries(columns).map(([name, data]) => ({ name, data, type: "STRING" as const }));
  const input = { question: "w", context: "a b" };
  const expected = [{ input, shown: { question: "w" } }];
  expect(await read("q.txt", new Uint8Array(parquetWriteBuffer({ columnData })))).toEqual(expected);
  expect(await read("q", "question\tcontext\nw\ta b\n")).toEqual(expected);
});

test("what is neither a table nor SQuAD's is told of both", async () => {
  const both = ["CSV, TSV, JSON Lines or Parquet, or SQuAD's JSON", "token-classification"];
  await expectError(read("wiki.conll", "Ada I-PER\nwrote O\n\nit O\n. O\n"), "FORMAT_UNKNOWN", ...both);
  await expectError(read("q.pdf", "%PDF-1.7\n"), "FORMAT_UNKNOWN", "or SQuAD's JSON", "pdftotext");
});
