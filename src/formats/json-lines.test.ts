import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { readJsonLines } from "./json-lines.ts";
import type { TableRow } from "./table-row.ts";

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

const rows = (text: string, ...columns: string[]): Promise<TableRow[]> =>
  Readable.from(readJsonLines("a.jsonl", once(text), { columns })).toArray();

describe("readJsonLines", () => {
  test("gives the columns asked for as text, with row and line", async () => {
    const text = '{"a":"x","b":1,"c":[]}\r\n\n  {"b":true,"a":"\\u00e9\\n\\u0000"}  ';
    expect(await rows(text, "b", "a")).toEqual([
      { row: 1, line: 1, values: ["1", "x"] },
      { row: 2, line: 3, values: ["true", "é\n\0"] },
    ]);
  });

  test.each([
    ["1.50", "1.5"],
    ["-0.25", "-0.25"],
    ["1e3", "1000"],
    ["9007199254740991", "9007199254740991"],
    ["false", "false"],
    ['""', ""],
    ["null", ""],
  ])("%s becomes %j", async (json, text) => {
    expect((await rows(`{"a":${json}}`, "a"))[0].values).toEqual([text]);
  });

  test.each([
    ["[1]", "got a list"],
    ['{"x":1}', "got an object"],
    ["9007199254740993", "too large to be exact"],
  ])("the value %s is ROW_MALFORMED", async (json, received) => {
    const message = expect.stringMatching(new RegExp(`a\\.jsonl, line 2 .*in column "a"; .*${received}`));
    await expect(rows(`{"a":1}\n{"a":${json}}`, "a")).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
  });

  test.each([
    ["a list", "[1]"],
    ["a number", "1"],
    ["null", "null"],
    ["cut short", '{"a":'],
    ["followed by another", '{"a":1}{"a":2}'],
    ["the start of a pretty-printed object", "{"],
    ["no JSON", "a\tb"],
  ])("a line that is %s is ROW_MALFORMED", async (_, line) => {
    const message = expect.stringContaining("a.jsonl, line 3 is malformed; expected one JSON object a line");
    await expect(rows(`{"a":1}\n\n${line}\n`, "a")).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
  });

  test("a key that a later row lacks is null there", async () => {
    const read = await rows('{"a":1,"b":2}\n{"a":1,"c":2}', "a", "b");
    expect(read.map(({ values }) => values)).toEqual([
      ["1", "2"],
      ["1", ""],
    ]);
  });

  test("a first row without the column is COLUMN_MISSING with its line and its keys", async () => {
    const message = expect.stringContaining('a.jsonl, line 2 has no column "b"; expected "a", "b"; got "a", "c"');
    const failure = rows('\n{"a":1,"c":2}\n{"a":1,"b":2}', "a", "b");
    await expect(failure).rejects.toMatchObject({ code: "COLUMN_MISSING", message });
  });

  test("inherited names are no columns, own ones are", async () => {
    await expect(rows('{"a":1}', "constructor")).rejects.toMatchObject({ code: "COLUMN_MISSING" });
    expect((await rows('{"__proto__":"x"}', "__proto__"))[0].values).toEqual(["x"]);
  });
});
