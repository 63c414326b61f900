import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCsv, readTsv } from "./delimited.node.ts";
import type { TableRow } from "./table-row.ts";

/** Cuts text anywhere but within a character, as decoders do. */
async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  const characters = Array.from(text);
  for (let i = 0; i < characters.length; i += size) yield characters.slice(i, i + size).join("");
}

type Read = typeof readCsv;
const rows = (read: Read, text: string, columns: readonly string[], size = 7): Promise<TableRow[]> =>
  Readable.from(read("a", inChunks(text, size), columns)).toArray();
const values = async (...of: Parameters<typeof rows>) => (await rows(...of)).map((row) => row.values);
const both = [
  ["CSV", readCsv, ","],
  ["TSV", readTsv, "\t"],
] as const;

describe.each(both)("%s", (_, read, separator) => {
  const table = (...lines: string[]) => lines.join("\n").replaceAll("|", separator);

  test("gives the columns asked for, in the order asked, with row and line", async () => {
    const text = table("id|text|label", "1|a b|x", "2||y");
    expect(await rows(read, text, ["label", "text", "label"])).toEqual([
      { row: 1, line: 2, values: ["x", "a b", "x"] },
      { row: 2, line: 3, values: ["y", "", "y"] },
    ]);
  });

  test("LF, CRLF and both mixed end a row; the last needs no end", async () => {
    for (const text of [
      table("a|b", "1|2", "3|4"),
      table("a|b\r", "1|2\r", "3|4\r", ""),
      table("a|b\r", "1|2", "3|4\r"),
    ]) {
      for (const size of [1, 2, 3, 100]) {
        const found = await values(read, text, ["a", "b"], size);
        expect(found).toEqual([
          ["1", "2"],
          ["3", "4"],
        ]);
      }
    }
  });

  test("blank lines are skipped and counted as lines", async () => {
    const found = await rows(read, table("", "a|b", "", "1|2", "", "3|4", "", ""), ["b"]);
    expect(found).toEqual([
      { row: 1, line: 4, values: ["2"] },
      { row: 2, line: 6, values: ["4"] },
    ]);
  });

  test("a blank line is an empty cell where there is one column, but before the header", async () => {
    const cells = [
      { row: 1, line: 3, values: ["1"] },
      { row: 2, line: 4, values: [""] },
      { row: 3, line: 5, values: ["2"] },
    ];
    const lines = ["", "a", "1", "", "2"];
    expect(await rows(read, table(...lines), ["a"])).toEqual(cells);
    expect(await rows(read, table(...lines, ""), ["a"])).toEqual(cells);
    expect(await rows(read, table(...lines, "", ""), ["a"])).toHaveLength(4);
  });

  test("spaces and NUL are kept", async () => {
    expect(await values(read, table("a|b", "  x |\0"), ["a", "b"])).toEqual([["  x ", "\0"]]);
  });

  test("a header alone and nothing at all are no rows", async () => {
    expect(await rows(read, table("a|b"), ["a"])).toEqual([]);
    expect(await rows(read, "", ["a"])).toEqual([]);
  });

  test("a row of 10 MB works", async () => {
    const long = "x".repeat(10_000_000);
    expect(await values(read, table("a|b", `${long}|1`), ["a"], 1 << 16)).toEqual([[long]]);
  });

  test.each([
    ["few", "3", 1],
    ["many", "3|4|5", 3],
  ])("too %s fields are ROW_MALFORMED with the line", async (_, row, count) => {
    const message = `a, line 4 is malformed; expected 2 fields; got ${count}. Correct it or take it out.`;
    const failure = rows(read, table("a|b", "1|2", "", row, "5|6"), ["a"]);
    await expect(failure).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
  });

  test("a missing column is COLUMN_MISSING with those that are there", async () => {
    const failure = rows(read, table("a| b", "1|2"), ["a", "b"]);
    const message = expect.stringContaining('no column "b"; expected "a", "b"; got "a", " b"');
    await expect(failure).rejects.toMatchObject({ code: "COLUMN_MISSING", message });
  });

  test("a column that is there twice is refused if it is asked for", async () => {
    const text = table("a|b|a", "1|2|3");
    expect(await values(read, text, ["b"])).toEqual([["2"]]);
    await expect(rows(read, text, ["a"])).rejects.toMatchObject({ code: "ROW_MALFORMED" });
  });
});

describe("CSV", () => {
  test("quotes hold commas, quotes and lines; rows keep the line on which they begin", async () => {
    const text = 'a,b\r\n"x, y","say ""hi"""\r\n"one\r\ntwo\nthree",2\r\n"",\r\n';
    for (const size of [1, 3, 100]) {
      expect(await rows(readCsv, text, ["a", "b"], size)).toEqual([
        { row: 1, line: 2, values: ["x, y", 'say "hi"'] },
        { row: 2, line: 3, values: ["one\ntwo\nthree", "2"] },
        { row: 3, line: 6, values: ["", ""] },
      ]);
    }
  });

  test("an empty cell may have quotes", async () => {
    expect(await values(readCsv, 'a\n1\n""\n2\n', ["a"])).toEqual([["1"], [""], ["2"]]);
  });

  test.each([
    [
      "never closes",
      'a,b\n1,2\n3,"x\ny,4\n',
      "line 3 is malformed; expected comma-separated values; got a quote that is opened in this row",
    ],
    [
      "opens inside a field",
      'a,b\n1,2\n3,x "y"\n',
      "line 3 is malformed; expected comma-separated values; got a quote within",
    ],
    ["closes before the field ends", 'a,b\n1,2\n3,"x"y\n', "line 3"],
  ])("a quote that %s is ROW_MALFORMED", async (_, text, where) => {
    const message = expect.stringContaining(where);
    const failure = rows(readCsv, text, ["a"]);
    await expect(failure).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
  });

  test("any fields survive being quoted", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "\t", " ", "é", "😀", "\0") });
    const table = fc.array(fc.tuple(field, field), { minLength: 1 });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (written, size) => {
        const text = ["a,b", ...written.map((row) => row.map(quoted).join(","))].join("\r\n");
        const read = await values(readCsv, text, ["a", "b"], size);
        expect(read).toEqual(written.map((row) => row.map((field) => field.replaceAll("\r\n", "\n"))));
      }),
    );
  });

  test("a failing source fails the reader", async () => {
    async function* failing() {
      yield "a,b\n1,2\n";
      throw new RangeError("source");
    }
    const failure = Readable.from(readCsv("a", failing(), ["a"])).toArray();
    await expect(failure).rejects.toThrow(RangeError);
  });

  test("ends its source when the reader stops early", async () => {
    let ended = false;
    async function* endless() {
      try {
        yield "a,b\n";
        for (;;) yield "1,2\n".repeat(1000);
      } finally {
        ended = true;
      }
    }
    for await (const { row } of readCsv("a", endless(), ["a"])) if (row === 3) break;
    await expect.poll(() => ended).toBe(true);
  });
});

test("TSV takes quotes literally", async () => {
  const text = 'a\tb\n"x\ty"\n"\t""\n';
  expect(await values(readTsv, text, ["a", "b"])).toEqual([
    ['"x', 'y"'],
    ['"', '""'],
  ]);
});
