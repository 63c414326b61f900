import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasText } from "../base/has-text.ts";
import { readAnswers, readNoAnswerScores, readSquad } from "./squad.node.ts";
import { encodeAnswers, parseAnswers, parseNoAnswerScores, parseSquad } from "./squad.ts";

const context = "𝔄 🎸 was played in Köln.";
const question = (id: string, text: string, answer_start: number, more = {}) => ({
  id,
  question: `Who is ${id}?`,
  answers: [{ text, answer_start }],
  ...more,
});
const squad = (...qas: object[]) => ({ version: "1.1", data: [{ title: "Guitar", paragraphs: [{ context, qas }] }] });
const parse = (json: unknown) => parseSquad(JSON.stringify(json), "a.json");
const failure = (code: string, part: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(part) });

describe("parseSquad", () => {
  test("gives each question with its context, title and answers", () => {
    const second = { text: "Köln", answer_start: 18 };
    const both = { ...question("x", "played", 8), answers: [{ text: "played", answer_start: 8 }, second] };
    expect(parse(squad(both))).toEqual({
      questions: [
        {
          id: "x",
          question: "Who is x?",
          context,
          title: "Guitar",
          answers: [
            { text: "played", span: { start: 10, end: 16 } },
            { text: "Köln", span: { start: 20, end: 24 } },
          ],
          isImpossible: false,
        },
      ],
      skipped: [],
    });
  });

  test("counts answer_start in code points, and in UTF-16 units where only that is right", () => {
    const starts = (text: string, start: number) =>
      parse(squad(question("x", text, start), question("y", "𝔄", 0))).questions[0].answers[0].span?.start;
    expect(starts("🎸", 2)).toBe(3);
    expect(starts("🎸", 3)).toBe(3);
    expect(starts("Köln", 18)).toBe(20);
    expect(starts("Köln", 20)).toBe(20);
    expect(starts("in", 15)).toBe(17);
    const twice = { data: [{ paragraphs: [{ context: "𝔄aa", qas: [question("x", "a", 2)] }] }] };
    expect(parse(twice).questions[0].answers).toEqual([{ text: "a", span: { start: 3, end: 4 } }]);
  });

  test("finds every span of any context by its offset in code points", () => {
    const span = fc
      .array(fc.oneof(fc.constantFrom("a", " ", "é", "中", "𝔄", "🎸", "\u0301"), fc.string({ unit: "binary" })), {
        minLength: 1,
      })
      .map((parts) => Array.from(parts.join("x"), (character) => character))
      .chain((characters) => fc.tuple(fc.constant(characters), fc.nat(characters.length), fc.nat(characters.length)));
    fc.assert(
      fc.property(span, ([characters, a, b]) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const text = characters.slice(from, to).join("");
        const whole = characters.join("");
        fc.pre(hasText(whole) && text.trim() !== "");
        const file = { data: [{ paragraphs: [{ context: whole, qas: [question("x", text, from)] }] }] };
        const start = characters.slice(0, from).join("").length;
        expect(parse(file).questions[0].answers).toEqual([{ text, span: { start, end: start + text.length } }]);
      }),
    );
  });

  test("keeps answers that are not where they should be, without a place", () => {
    const answers = [
      { text: "Köln", answer_start: 19 },
      { text: "played", answer_start: 8 },
      { text: "Bonn", answer_start: 18 },
      { text: "", answer_start: 0 },
      { text: " ", answer_start: 1 },
      { text: "𝔄", answer_start: -1 },
      { text: ".", answer_start: 1000 },
    ];
    const { questions, skipped } = parse(squad({ ...question("x", "", 0), answers }, question("y", "koln", 18)));
    expect(questions.map(({ id, answers }) => [id, answers])).toEqual([
      [
        "x",
        [
          { text: "Köln" },
          { text: "played", span: { start: 10, end: 16 } },
          { text: "Bonn" },
          { text: "" },
          { text: " " },
          { text: "𝔄" },
          { text: "." },
        ],
      ],
      ["y", [{ text: "koln" }]],
    ]);
    expect(skipped).toEqual([]);
  });

  test("tells impossible questions from those whose answer is not known", () => {
    const impossible = { is_impossible: true, plausible_answers: [{ text: "Köln", answer_start: 18 }] };
    const { questions } = parse(
      squad(
        { ...question("x", "", 0, impossible), answers: [] },
        question("y", "none", -1, impossible),
        question("z", "Köln", 18, { is_impossible: false }),
        { id: "n", question: "?" },
      ),
    );
    expect(questions.map(({ isImpossible, answers }) => [isImpossible, answers.map(({ text }) => text)])).toEqual([
      [true, []],
      [true, ["none"]],
      [false, ["Köln"]],
      [false, []],
    ]);
  });

  test("skips questions that are empty or have an empty context", () => {
    const empty = { context: "\n", qas: [question("c", "x", 0, { is_impossible: true })] };
    const qas = [question("x", "Köln", 18), question("q", "Köln", 18, { question: " " })];
    const { questions, skipped } = parse({ data: [{ title: null, paragraphs: [empty, { context, qas }] }] });
    expect(questions.map(({ id }) => id)).toEqual(["x"]);
    expect(questions[0]).not.toHaveProperty("title");
    expect(skipped).toEqual([
      { id: "c", reason: "empty context" },
      { id: "q", reason: "empty question" },
    ]);
  });

  test("a file that answers no question is FILE_EMPTY, unless answers are not required", () => {
    const blind = JSON.stringify(squad({ id: "a", question: "?" }, { id: "b", question: "?", answers: [] }));
    expect(() => parseSquad(blind, "a.json")).toThrow(failure("FILE_EMPTY", "no answer to any"));
    expect(parseSquad(blind, "a.json", { requireAnswers: false }).questions).toHaveLength(2);
    expect(parse(squad({ id: "a", question: "?", is_impossible: true })).questions).toHaveLength(1);
  });

  test("takes whole numbers as ids", () => {
    expect(parse(squad(question("x", "Köln", 18, { id: 7 }))).questions[0].id).toBe("7");
  });

  test("an id that two questions have is ROW_MALFORMED", () => {
    const twice = squad(question("x", "Köln", 18), question("y", "Köln", 18), question("x", "played", 8));
    expect(() => parse(twice)).toThrow(failure("ROW_MALFORMED", 'got "x" twice'));
    expect(() => parse(squad(question("7", "Köln", 18), question("x", "Köln", 18, { id: 7 })))).toThrow(
      failure("ROW_MALFORMED", '"7" twice'),
    );
  });

  test.each([
    [
      "article 1, paragraph 1, question 2, answer 1, answer_start: 1.5 rather than a whole number",
      question("y", "Köln", 1.5),
    ],
    ['answer_start: "0" rather than a number', question("y", "", 0, { answers: [{ text: "", answer_start: "0" }] })],
    ["article 1, paragraph 1, question 2, answers", question("y", "", 0, { answers: { text: ["Köln"] } })],
    ["article 1, paragraph 1, question 2, question", { id: "y", answers: [] }],
    [
      "article 1, paragraph 1, question 2, id: neither text nor a whole number",
      question("y", "Köln", 18, { id: null }),
    ],
    ["article 1, paragraph 1, question 2, is_impossible", question("y", "Köln", 18, { is_impossible: "false" })],
  ])("a fault is ROW_MALFORMED with its place: %s", (place, faulty) => {
    expect(() => parse(squad(question("x", "Köln", 18), faulty))).toThrow(failure("ROW_MALFORMED", place));
  });

  test("a file that is cut short is told as such", () => {
    const whole = JSON.stringify(squad(question("x", "Köln", 18)));
    for (const length of [3, 40, whole.length - 1]) {
      expect(() => parseSquad(whole.slice(0, length), "a.json")).toThrow(
        failure("ROW_MALFORMED", "ends too early. Check"),
      );
    }
  });

  test("so is a fault of an article or a paragraph", () => {
    const place = /article 2, paragraphs: .*; article 3, paragraph 1, context: .*; article 3, paragraph 1, qas: /;
    const file = { data: [{ paragraphs: [] }, {}, { paragraphs: [{}] }, { paragraphs: [{}] }] };
    expect(() => parse(file)).toThrow(place);
  });

  test.each([
    ["JSON Lines", '{"id":"1","context":"a","question":"b"}\n{"id":"2","context":"a","question":"b"}\n'],
    ["a line of JSON Lines", '{"id":"1","context":"a","question":"b"}\n'],
    ["a table or prose", "id,question,context\n1,a,b\n"],
    ["multiple-choice", "sent1,sent2,ending0,ending1\na,b,c,d\n"],
    ["text-classification", '{"text":"a","label":0}\n{"text":"b","label":1}\n'],
    ["token-classification", "Ada\tB-PER\ncame\tO\n\nit\tO\n"],
    ["texts by id", '{"1":"Köln","2":""}'],
    ["numbers by id", '{"1":0.5,"2":-3}'],
    ["a list", '[{"id":"1"}]'],
    ["only 1", "1"],
    ["only null", "null"],
    ["an empty object", "{}"],
    ['an object with "version", "data"', '{"version":"1","data":{}}'],
  ])("%s is FORMAT_UNKNOWN", (kind, text) => {
    expect(() => parseSquad(text, "a.json")).toThrow(failure("FORMAT_UNKNOWN", kind));
  });

  test("Hugging Face's rows are FORMAT_UNKNOWN, with what to make of them", () => {
    const row = { id: "1", title: "t", context: "a", question: "b", answers: { text: ["a"], answer_start: [0] } };
    const line = JSON.stringify(row);
    for (const text of [JSON.stringify({ data: [row] }), JSON.stringify([row]), line, `${line}\n${line}\n`]) {
      expect(() => parseSquad(text, "a.json")).toThrow(failure("FORMAT_UNKNOWN", "Hugging Face's form of SQuAD"));
    }
  });

  test("JSON that breaks off is ROW_MALFORMED", () => {
    const text = JSON.stringify(squad(question("x", "Köln", 18)), null, 2);
    for (const part of [text.slice(0, -3), text.slice(0, 50), "{", "[\n"]) {
      expect(() => parseSquad(part, "a.json")).toThrow(failure("ROW_MALFORMED", "a.json"));
    }
  });

  test("a line with a character too many is ROW_MALFORMED, and no line of JSON Lines", () => {
    const line = JSON.stringify(squad(question("x", "Köln", 18)));
    for (const text of ['{"data": []}}', `${line}}`, `${line}}\n`]) {
      expect(() => parseSquad(text, "a.json")).toThrow(failure("ROW_MALFORMED", "a.json"));
    }
  });

  test.each([
    ["nothing", ""],
    ["nothing", " \n"],
    ["no question", '{"data":[]}'],
    ["no question", '{"data":[{"paragraphs":[{"context":"a","qas":[]}]}]}'],
    [
      '1 that had to be skipped, the first, "x", for empty question',
      JSON.stringify(squad(question("x", "Köln", 18, { question: "" }))),
    ],
  ])("a file with %s is FILE_EMPTY", (said, text) => {
    expect(() => parseSquad(text, "a.json")).toThrow(failure("FILE_EMPTY", said));
  });
});

describe("parseAnswers and parseNoAnswerScores", () => {
  test("give texts and numbers by id", () => {
    const answers = parseAnswers('{"a":"Köln","b":"","__proto__":"x"}', "p.json");
    expect([...answers]).toEqual([
      ["a", "Köln"],
      ["b", ""],
      ["__proto__", "x"],
    ]);
    expect([...parseNoAnswerScores('{"a":-1.5,"b":0}', "p.json")]).toEqual([
      ["a", -1.5],
      ["b", 0],
    ]);
  });

  test.each([
    ["ROW_MALFORMED", 'id "b"', '{"a":"x","b":[{"text":"x"}]}'],
    ["ROW_MALFORMED", 'id "b"', '{"a":"x","b":null}'],
    ["ROW_MALFORMED", '"a" twice', '{"a":"x","a":"y"}'],
    ["ROW_MALFORMED", "p.json", '{"a":"x",'],
    ["FORMAT_UNKNOWN", "a file of questions", '{"data":[]}'],
    ["FORMAT_UNKNOWN", "a list", '["x"]'],
    ["FORMAT_UNKNOWN", "JSON Lines", '{"id":"a"}\n{"id":"b"}\n'],
    ["FILE_EMPTY", "no ids", "{}"],
    ["FILE_EMPTY", "nothing", ""],
  ])("%s for %s", (code, part, text) => {
    expect(() => parseAnswers(text, "p.json")).toThrow(failure(code, part));
  });

  test.each(['{"a":"0.5"}', '{"a":1e999}', '{"a":true}'])("%s holds no no-answer scores", (text) => {
    expect(() => parseNoAnswerScores(text, "p.json")).toThrow(failure("ROW_MALFORMED", 'id "a"'));
  });
});

describe("encodeAnswers", () => {
  test("writes what parseAnswers reads, whatever the texts", () => {
    const text = fc.oneof(
      fc.constantFrom("", "Köln", '"', "\\", "\r\n", "e\u0301", "👩‍👩‍👧", "\ud83d"),
      fc.string({ unit: "binary" }),
    );
    const id = fc.oneof(fc.constantFrom("7", "10", "__proto__", "data", "constructor"), text);
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(id, text), { minLength: 1, selector: ([id]) => id }), (entries) => {
        const answers = new Map(entries);
        expect(parseAnswers(encodeAnswers(answers), "p.json")).toEqual(answers);
      }),
    );
  });

  test("writes an object of texts, as the official script reads it", () => {
    expect(
      encodeAnswers(
        new Map([
          ["b", "Köln"],
          ["a", ""],
        ]),
      ),
    ).toBe('{\n  "b": "Köln",\n  "a": ""\n}\n');
  });
});

describe("files", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cloze-squad-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function file(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  test("may be gzip and begin with a byte order mark", async () => {
    const text = `\uFEFF${JSON.stringify(squad(question("x", "Köln", 18)))}`;
    for (const content of [text, gzipSync(text)]) {
      expect((await readSquad(await file("a.json", content))).questions.length).toBe(1);
    }
    expect(await readAnswers(await file("p.json", gzipSync('\uFEFF{"x":"Köln"}')))).toEqual(new Map([["x", "Köln"]]));
    expect(await readNoAnswerScores(await file("n.json", '{"x":1}'))).toEqual(new Map([["x", 1]]));
    const answers = new Map([
      ["x", "Köln"],
      ["y", ""],
    ]);
    expect(await readAnswers(await file("w.json", encodeAnswers(answers)))).toEqual(answers);
  });

  test("may have one line of many megabytes", async () => {
    const qas = Array.from({ length: 60_000 }, (_, index) =>
      question(`${index}`, "Köln", 18, { note: "x".repeat(100) }),
    );
    const path = await file("long.json", JSON.stringify(squad(...qas)));
    expect((await readSquad(path)).questions.length).toBe(60_000);
  });

  test("that are missing or no text are told so", async () => {
    await expect(readSquad(join(folder, "none.json"))).rejects.toMatchObject({ code: "FILE_MISSING" });
    const latin = await file("latin.json", Uint8Array.of(0x7b, 0xe9, 0x7d));
    await expect(readAnswers(latin)).rejects.toMatchObject({ code: "INVALID_UTF8" });
  });

  test.for([
    ["dev-10-articles.json", 2075, 10],
    ["train-38-articles.json", 8495, 38],
  ] as const)("%s has its published number of questions", async ([name, count, articles], { skip }) => {
    const path = join(import.meta.dirname, "../../../shared/data/squad", name);
    if (!existsSync(path)) skip(`no ${path}`);
    const { questions, skipped } = await readSquad(path);
    expect([questions.length, skipped]).toEqual([count, []]);
    expect(new Set(questions.map(({ title }) => title)).size).toBe(articles);
    for (const { context, answers } of questions) {
      for (const { text, span } of answers) expect(context.slice(span?.start, span?.end)).toBe(text);
    }
  });
});
