import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { multipleChoice } from "../definitions/multiple-choice.ts";
import { InputCounts } from "../run/input-counts.ts";
import { readChoices, readUnlabelledChoices } from "./choices.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-choices-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, ...rows: string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, rows.join("\n"));
  return path;
}

const HEADER = "sent1,sent2,ending0,ending1,ending2,ending3,label";
const reading = multipleChoice.reading.parse({});
const withoutStarts = { ...reading, contextColumn: "sent1" };

test("reads SWAG's columns, of which some may have no choice", async () => {
  const path = await write("swag.csv", HEADER, "c,s,a,b,x,y,3", "c,s,,b,,y,3", "c,s,a,,,,0", " ,s,a,b,x,y,0");
  const { examples, skipped, places, notes } = await readChoices(path, reading);
  expect(examples).toEqual([
    { input: { context: "c", start: "s", choices: ["a", "b", "x", "y"] }, gold: 3, place: `${path}, line 2` },
    { input: { context: "c", start: "s", choices: ["b", "y"] }, gold: 1, place: `${path}, line 3` },
  ]);
  expect(skipped).toEqual({ "without a context and two choices": 2 });
  expect(notes).toEqual({ "with an empty choice": 1 });
  expect(places).toEqual({
    "without a context and two choices": [`${path}, line 4`, `${path}, line 5`],
    "with an empty choice": [`${path}, line 3`],
  });
  const counts = new InputCounts();
  await Readable.from(readUnlabelledChoices(["c", "a", "", "b"], reading, counts)).toArray();
  expect(counts.notes).toEqual({ "with an empty choice": 1 });
});

test("reads a list of choices, of any number, as HellaSwag has it", async () => {
  const rows = [
    { ctx: "c", endings: ["a", "b", "x"], label: 2 },
    { ctx: "d", endings: ["", "b", "x", "y", "z"], label: "3" },
    { ctx: "e", endings: ["a"], label: 0 },
    { ctx: "f", endings: null, label: 0 },
  ];
  const path = await write("lists.jsonl", ...rows.map((row) => JSON.stringify(row)));
  const columns = { ...reading, contextColumn: "ctx", choicesColumn: "endings" };
  const { examples, places } = await readChoices(path, columns);
  expect(examples).toEqual([
    { input: { context: "c", choices: ["a", "b", "x"] }, gold: 2, place: `${path}, line 1` },
    { input: { context: "d", choices: ["b", "x", "y", "z"] }, gold: 2, place: `${path}, line 2` },
  ]);
  expect(places).toMatchObject({ "without a context and two choices": [`${path}, line 3`, `${path}, line 4`] });
  for (const [endings, label] of [["a, b", 0] as const, [["a", "b"], 2] as const]) {
    const wrong = await write("wrong-list.jsonl", JSON.stringify({ ctx: "c", endings, label }));
    await expectError(readChoices(wrong, columns), "ROW_MALFORMED", `${wrong}, line 1`);
  }
});

test("takes sent2 for the start by itself only where all columns are SWAG's", async () => {
  const path = await write("starts.csv", HEADER, "c,s,a,b,x,y,3");
  const startOf = async (options: object) =>
    (await readChoices(path, { ...reading, ...options })).examples[0].input.start;
  expect(await startOf({})).toBe("s");
  expect(await startOf({ contextColumn: "sent1" })).toBeUndefined();
  expect(await startOf({ contextColumn: "sent1", startColumn: "sent2" })).toBe("s");
  expect(await startOf({ startColumn: "sent1" })).toBe("c");
  const bare = await write("bare.csv", "sent1,ending0,ending1,ending2,ending3,label", "c,a,b,x,y,3");
  await expectError(readChoices(bare, reading), "COLUMN_MISSING", 'no column "sent2"', "--context-column");
  expect((await readChoices(bare, withoutStarts)).examples).toHaveLength(1);
});

test("reads SWAG's own files, with their other columns and quotes", async () => {
  const names = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label";
  const row = '0,lsmdc,1,start,"""He"", so.",They,gold,"go, then",stay,sit,run,0';
  const { examples } = await readChoices(await write("train.csv", names, row), reading);
  expect(examples).toMatchObject([
    { input: { context: '"He", so.', start: "They", choices: ["go, then", "stay", "sit", "run"] }, gold: 0 },
  ]);
});

test.each(["4", "-1", "1.5", "x", "2"])("%j is the number of no choice", async (label) => {
  const path = await write("wrong.csv", HEADER, "c,s,a,b,x,y,0", `c,s,a,b,,y,${label}`);
  await expectError(readChoices(path, reading), "ROW_MALFORMED", `${path}, line 3`, "from 0", JSON.stringify(label));
});

test("rows without label are left out and counted", async () => {
  const path = await write("unlabelled.csv", HEADER, "c,s,a,b,x,y,0", "c,s,a,b,x,y, ", "c,s,a,b,x,y,");
  const { examples, places } = await readChoices(path, reading);
  expect(examples).toHaveLength(1);
  expect(places?.["without label"]).toEqual([`${path}, line 3`, `${path}, line 4`]);
});

test("a file in which no row can be used is refused", async () => {
  const path = await write("unusable.csv", HEADER, ",s,a,b,x,y,3", "c,s,a,,,,0");
  await expectError(readChoices(path, reading), "TEXT_EMPTY", path, "2 without a context and two choices");
});

test("needs no labels to predict for", async () => {
  const path = await write("unlabelled.csv", "ctx,a,b,c", "one,x,y,", "two,x,,", "three,x,y,z");
  const counts = new InputCounts();
  const columns = { contextColumn: "ctx", choiceColumns: ["a", "b", "c"] };
  const read = async (options: Parameters<typeof readUnlabelledChoices>[1]) => {
    const inputs = [];
    for await (const input of readUnlabelledChoices(path, options, counts)) inputs.push(input);
    return inputs;
  };
  expect(await read(columns)).toEqual([
    { context: "one", choices: ["x", "y"] },
    { context: "three", choices: ["x", "y", "z"] },
  ]);
  const reason = "without a context and two choices";
  expect(counts).toMatchObject({ skipped: { [reason]: 1 }, places: { [reason]: [`${path}, line 3`] } });
  await expectError(read({ ...columns, onEmpty: "refuse" }), "TEXT_EMPTY", `${path}, line 3`);
});
