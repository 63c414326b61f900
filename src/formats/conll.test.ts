import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ColumnChoice,
  type ConllSentence,
  formatConll,
  otherFormatOf,
  readConllColumns,
  separatorOf,
} from "./conll.ts";

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size);
}

const read = (text: string, choice: Partial<ColumnChoice> = {}, size = 7): Promise<ConllSentence[]> =>
  Readable.from(
    readConllColumns("a.conll", inChunks(text, size), { separator: separatorOf(text), columns: [0, -1], ...choice }),
  ).toArray();
/** Sentences as "token/tag token/tag". */
const sentences = async (...of: Parameters<typeof read>) =>
  (await read(...of)).map(({ columns: [tokens, tags] }) => tokens.map((token, i) => `${token}/${tags[i]}`).join(" "));

describe("readConllColumns", () => {
  test("gives sentences with the line of each token", async () => {
    expect(await read("\n\nEU\tB-ORG\nrejects\tO\n\n\nBonn\tB-LOC")).toEqual([
      {
        columns: [
          ["EU", "rejects"],
          ["B-ORG", "O"],
        ],
        lines: [3, 4],
      },
      { columns: [["Bonn"], ["B-LOC"]], lines: [7] },
    ]);
  });

  test("a line of nothing but spaces or tabs is blank", async () => {
    expect(await sentences("a\tO\n \t \nb\tO\n\t\n")).toEqual(["a/O", "b/O"]);
  });

  test("LF, CRLF and both mixed end a line, wherever the text is cut", async () => {
    for (const size of [1, 2, 5, 100]) {
      expect(await sentences("a\tO\r\nb\tX\r\n\r\nc\tO\n\nd\tO\r", {}, size)).toEqual(["a/O b/X", "c/O", "d/O"]);
    }
  });

  test("spaces separate in runs, may follow the last column, and stay within a tab's columns", async () => {
    expect(await sentences("a  NN O \nb NN   X\n")).toEqual(["a/O b/X"]);
    expect(await sentences("10 000\tO\nb\tO\n")).toEqual(["10 000/O b/O"]);
    expect(await sentences("a\tx y\tO\n", { separator: "space" })).toEqual(["a\tx/y\tO"]);
  });

  test("chooses columns from the start and from the end", async () => {
    const text = "1\tBonn\tNNP\tB-LOC\t_\n2\tis\tVBZ\tO\t_\n";
    expect(await sentences(text, { columns: [1, 3] })).toEqual(["Bonn/B-LOC is/O"]);
    expect(await sentences(text, { columns: [-4, -3] })).toEqual(["Bonn/NNP is/VBZ"]);
    expect(await read("one\n\ntwo", { columns: [0] })).toMatchObject([{ columns: [["one"]] }, { columns: [["two"]] }]);
  });

  test("a separator that is told stands once between columns, but for blanks", async () => {
    expect(await sentences("a b,NN,B-X\n\n.,.,O\n", { separator: "," })).toEqual(["a b/B-X", "./O"]);
    expect(await sentences("a||O\nb||X\n", { separator: "||" })).toEqual(["a/O b/X"]);
    expect(await sentences("a\tx y\tO\n# a\n", { separator: "\t" })).toEqual(["a/O"]);
    expect(await sentences("a   O \n", { separator: " " })).toEqual(["a/O"]);
    expect(await sentences("a \t NN\tO\t\nb NN  X\n", { separator: "whitespace" })).toEqual(["a/O b/X"]);
    const comma = read("a,O\n,,O\n", { separator: "," });
    await expect(comma).rejects.toMatchObject({ message: expect.stringContaining("line 2 is malformed") });
  });

  test("-DOCSTART- lines of any width end sentences", async () => {
    const text = "-DOCSTART- -X- O\n\na X O\n-DOCSTART-\nb X O\n\nc X O\n-DOCSTART- (2)\n";
    expect((await read(text)).map(({ lines }) => lines)).toEqual([[3], [5], [7]]);
    expect(await sentences("-DOCSTART-x O\n")).toEqual(["-DOCSTART-x/O"]);
  });

  test("# is a token, but a line without tab that begins with it is a comment where others have tabs", async () => {
    expect(await sentences("# sent_id = 1\n# text = a b\na\tO\n# inside\nb\tO\n")).toEqual(["a/O b/O"]);
    expect(await read("a\tO\n# inside\nb\tO\n")).toMatchObject([{ lines: [1, 3] }]);
    expect(await sentences("#\tO\n# 1\tO\n#nlp\tO\n")).toEqual(["#/O # 1/O #nlp/O"]);
    expect(await sentences("# O\na O\n")).toEqual(["#/O a/O"]);
    expect(await read("#\na\n", { columns: [0] })).toMatchObject([{ columns: [["#", "a"]] }]);
  });

  test("CoNLL-U's multiword tokens and empty nodes are no words where their numbers are not the tokens", async () => {
    const text = "# text = zum x\n1-2\tzum\t_\n1\tzu\tADP\n2\tdem\tDET\n2.1\tist\tV\n\n1\ta\tX\n";
    const found = await read(text, { columns: [1, 2] });
    expect(found).toMatchObject([{ lines: [3, 4], skipped: [2, 5] }, { lines: [7] }]);
    expect(found[1]).not.toHaveProperty("skipped");
    expect(await sentences(text, { columns: [0, 1] })).toEqual(["1-2/zum 1/zu 2/dem 2.1/ist", "1/a"]);
    expect(await sentences("a\tx\tX\n1-2\ty\tX\n", { columns: [1, 2] })).toEqual(["x/X y/X"]);
  });

  test.each([
    ["a missing tag", "a\tO\n\nb\n", "line 3 is malformed; expected 2 columns, as in line 1; got 1"],
    ["a column too many", "\na X\nb Y Z\n", "line 3 is malformed; expected 2 columns, as in line 2; got 3"],
    [
      "no tags at all",
      "a\nb\n",
      "line 1 is malformed; expected a token and a tag, in columns of their own; got 1 column",
    ],
    ["an empty tag", "a\tO\nb\t\n", "line 2 is malformed; expected a tag in column 1; got nothing"],
    ["an empty token", "a\tO\n\tO\n", "line 2 is malformed; expected a token in column 0; got nothing"],
    ["NUL", "a\tO\n\nb\0\tO\n", "line 3 is malformed; expected text; got NUL. Take the NUL out."],
    ["an empty token before spaces", "a O\n  O\n", "line 2 is malformed; expected a token in column 0; got nothing"],
  ])("%s is ROW_MALFORMED", async (_, text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: "ROW_MALFORMED",
      message: expect.stringContaining(`a.conll, ${message}`),
    });
  });

  test.each([2, -3, 0.5])("column %d of two is COLUMN_MISSING", async (column) => {
    const message = expect.stringContaining(
      `a.conll, line 2 has no column ${column}; expected a column from 0 to 1, or from -1 to -2`,
    );
    await expect(read("\na O\n", { columns: [0, column] })).rejects.toMatchObject({ code: "COLUMN_MISSING", message });
  });

  test("token and tag from one column are ROW_MALFORMED", async () => {
    await expect(read("a O\n", { columns: [1, -1] })).rejects.toMatchObject({ code: "ROW_MALFORMED" });
  });

  test("nothing, blank lines and documents without tokens are no sentences", async () => {
    for (const text of ["", "\n \n", "-DOCSTART- O\n\n"]) expect(await read(text)).toEqual([]);
  });
});

describe("otherFormatOf", () => {
  test.each([
    ["JSON", '{"a": 1}'],
    ["JSON", '\n{\n  "data": ['],
    ["JSON", '[\n{"text":"a"}]'],
    ["CSV", "text,label\nit rained,1\n"],
    ["CSV", '"a","b"\r\n1,2'],
    ["a table of texts", "sentence\tlabel\na moving film .\t1\nno fun at all\t0\ntoo dull for me\t0\n"],
    ["a table of texts", "1\tIt rained all day.\t1.5\r\n2\tIt is dry now.\t2\r\n"],
    [undefined, "1\t10 000 000\tNUM\n2\tpeople\tNOUN\n"],
    [undefined, "a b c\tO\nd e f\tO\n\ng\tO\n"],
    [undefined, "# text = a b c d\n1\ta\tX\n"],
    [undefined, '{ O\n" O\n: O\n'],
    [undefined, "[\tO\n{\tO\n"],
    [undefined, "1,000 O\n"],
    [undefined, "a\tO\n,\tO\n"],
  ])("%s: %j", (format, head) => {
    expect(otherFormatOf(head, { tagged: true })).toBe(format);
  });

  test("a comma alone is no sign of CSV where there are no tags", () => {
    expect(otherFormatOf("1,000\ndollars\n", { tagged: false })).toBeUndefined();
    expect(otherFormatOf("it rained all day\t1\nit is dry now\t2\n", { tagged: false })).toBeUndefined();
  });
});

describe("formatConll", () => {
  test("writes token, tab and tag, or several, and a blank line at the end", () => {
    const sentences = [
      [
        ["EU", "#"],
        ["B-ORG", "O"],
      ],
      [[], []],
      [["10 000"], ["O"], ["B-X"]],
      [["a"]],
    ];
    expect(sentences.map(formatConll)).toEqual(["EU\tB-ORG\n#\tO\n\n", "", "10 000\tO\tB-X\n\n", "a\n\n"]);
  });

  test("whatever it writes is read back", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", "#", " ", "\u00a0", "{", ",", "-", "é", "😀"), minLength: 1 });
    const row = fc.tuple(
      field,
      field.filter((tag) => tag.trim() !== ""),
    );
    const sentence = fc.array(row, { minLength: 1 }).map((rows) => [0, 1].map((i) => rows.map((fields) => fields[i])));
    await fc.assert(
      fc.asyncProperty(fc.array(sentence), async (sentences) => {
        const found = await read(sentences.map(formatConll).join(""), { separator: "tab" }, 1000);
        expect(found.map(({ columns }) => columns)).toEqual(sentences);
      }),
    );
  });

  test.each([
    ["", "O"],
    ["a", ""],
    [" ", " "],
    ["a\tb", "O"],
    ["a\0", "O"],
    ["a", "O\n"],
    ["a\r", "O"],
    ["-DOCSTART-", "O"],
  ])("token %j with tag %j is ROW_MALFORMED", (token, tag) => {
    const message = expect.stringContaining(`The row ${JSON.stringify([token, tag])} is malformed`);
    expect(() => formatConll([[token], [tag]])).toThrow(expect.objectContaining({ code: "ROW_MALFORMED", message }));
  });

  test("a token that begins as a comment is ROW_MALFORMED without a tag, which tells them apart", () => {
    expect(() => formatConll([["a", "# b"]])).toThrow(expect.objectContaining({ code: "ROW_MALFORMED" }));
    expect(formatConll([["# b"], ["O"]])).toBe("# b\tO\n\n");
    expect(formatConll([["#", "#b"]])).toBe("#\n#b\n\n");
  });

  test("tokens and tags that differ in number are SHAPE_MISMATCH", () => {
    expect(() => formatConll([["a"], ["O"], []])).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
  });
});
