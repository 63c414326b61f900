import { describe, expect, test } from "vitest";
import {
  type EntityGroup,
  type GroupingStrategy,
  groupEntities,
  type JudgedText,
  labelTokens,
} from "./entity-aggregation.ts";

/** The probabilities of a token by label; labels that are not named have 0. */
type Scores = Readonly<Record<string, number>>;

const GROUPING: readonly GroupingStrategy[] = ["simple", "first", "average", "max"];

/** A text with "|" between the pieces of a word, each of which has its scores. */
function judge(marked: string, labels: readonly string[], scores: readonly Scores[]): JudgedText {
  let start = 0;
  const tokens = marked.split(" ").flatMap((pieces, word) => {
    const places = pieces.split("|").map((token, i) => {
      const place = { token: i === 0 ? token : `##${token}`, word, start, end: start + token.length };
      start = place.end;
      return place;
    });
    start++;
    return places;
  });
  expect(tokens).toHaveLength(scores.length);
  const row = (one: Scores) => Float32Array.from(labels, (label) => one[label] ?? 0);
  const text = marked.replaceAll("|", "");
  return { text, tokens: tokens.map((token, i) => ({ ...token, probabilities: row(scores[i]) })), hasWords: false };
}

/** Every token has its label for certain. */
function certain(marked: string, tags: string, labels = [...new Set(tags.split(" "))]): [JudgedText, string[]] {
  const scores = tags.split(" ").map((tag) => ({ [tag]: 1 }));
  return [judge(marked, labels, scores), labels];
}

/** "PER Ada Lovelace": type and text of each entity. */
function brief(groups: readonly EntityGroup[]): string[] {
  return groups.map(({ entity_group, word }) => `${entity_group} ${word}`);
}

/** Expects entities whose scores are right to 6 digits. */
function expectGroups(groups: readonly EntityGroup[], expected: readonly EntityGroup[]) {
  expect(groups).toEqual(expected.map((group) => ({ ...group, score: expect.closeTo(group.score, 6) })));
}

describe("none", () => {
  const labels = ["O", "B-PER", "I-PER"];
  const judged = judge("Ada Love|lace wrote", labels, [
    { "B-PER": 0.9, O: 0.1 },
    { "I-PER": 0.7, O: 0.3 },
    { "B-PER": 0.4, O: 0.35, "I-PER": 0.25 },
    { O: 0.8, "I-PER": 0.2 },
  ]);

  test("gives each token that is not O, as it stands in the text", () => {
    expect(labelTokens(judged, labels)).toEqual([
      { entity: "B-PER", score: expect.closeTo(0.9), index: 1, word: "Ada", start: 0, end: 3 },
      { entity: "I-PER", score: expect.closeTo(0.7), index: 2, word: "Love", start: 4, end: 8 },
      { entity: "B-PER", score: expect.closeTo(0.4), index: 3, word: "lace", start: 8, end: 12 },
    ]);
  });

  test("ignores what it is told to, by label", () => {
    const entities = (ignore: string[]) => labelTokens(judged, labels, ignore).map(({ entity }) => entity);
    expect(entities([])).toEqual(["B-PER", "I-PER", "B-PER", "O"]);
    expect(entities(["B-PER", "O"])).toEqual(["I-PER"]);
  });
});

describe("Hugging Face's examples", () => {
  test("two entities that begin with B- stay two", () => {
    const [judged, labels] = certain("A B C D E", "B-TAG I-TAG I-TAG B-TAG2 B-TAG2");
    for (const strategy of GROUPING) {
      expect(brief(groupEntities(judged, labels, strategy))).toEqual(["TAG A B C", "TAG2 D", "TAG2 E"]);
    }
  });

  test("micro|soft com|pany is one entity by its first pieces; simple splits no word either", () => {
    const [judged, labels] = certain("micro|soft com|pany", "B-ENT I-NAME I-ENT I-ENT");
    for (const strategy of ["first", "simple"] as const) {
      expect(brief(groupEntities(judged, labels, strategy))).toEqual(["ENT microsoft company"]);
    }
  });

  test("the scores of En|zo ... UN, of which transformers' own test has these", () => {
    const labels = ["O", "I-PER", "I-ORG"];
    const judged = judge("En|zo works at UN", labels, [
      { "I-PER": 0.9968166351318359 },
      { "I-PER": 0.9957635998725891 },
      { O: 1 },
      { O: 1 },
      { "I-ORG": 0.9986497163772583 },
    ]);
    expectGroups(groupEntities(judged, labels, "simple"), [
      { entity_group: "PER", score: 0.9962901175022125, word: "Enzo", start: 0, end: 4 },
      { entity_group: "ORG", score: 0.9986497163772583, word: "UN", start: 14, end: 16 },
    ]);
  });
});

describe("a word whose pieces disagree, between two that do not", () => {
  const labels = ["O", "B-PER", "I-PER", "B-MISC"];
  const judged = judge("saw Ra|ma|zotti Bo there", labels, [
    { O: 0.9, "B-PER": 0.1 },
    { "B-MISC": 0.55, "B-PER": 0.45 }, // first
    { "B-PER": 0.6, "B-MISC": 0.2, "I-PER": 0.2 },
    { O: 0.7, "B-PER": 0.3 }, // surest
    { "I-PER": 0.8, O: 0.2 },
    { O: 1 },
  ]);
  const name = { word: "Ramazotti", start: 4, end: 13 };
  const bo = { entity_group: "PER", score: 0.8, word: "Bo", start: 14, end: 16 };

  test("simple: the first piece's label, and what each piece gives that type", () => {
    const score = (0.55 + 0.2 + 0) / 3;
    expectGroups(groupEntities(judged, labels, "simple"), [{ entity_group: "MISC", score, ...name }, bo]);
  });

  test("first: label and score of the first piece", () => {
    expectGroups(groupEntities(judged, labels, "first"), [{ entity_group: "MISC", score: 0.55, ...name }, bo]);
  });

  test("average: the best of the mean, and the mean over words rather than pieces", () => {
    const score = ((0.45 + 0.6 + 0.3) / 3 + 0.8) / 2;
    expectGroups(groupEntities(judged, labels, "average"), [
      { entity_group: "PER", score, word: "Ramazotti Bo", start: 4, end: 16 },
    ]);
  });

  test("max: label and score of the surest piece", () => {
    expectGroups(groupEntities(judged, labels, "max"), [bo]);
  });
});

test("simple counts tokens and first counts words", () => {
  const labels = ["O", "B-PER", "I-PER"];
  const judged = judge("A|d|a Byron", labels, [{ "B-PER": 0.9 }, { "I-PER": 0.6 }, { "I-PER": 0.6 }, { "I-PER": 0.5 }]);
  const place = { entity_group: "PER", word: "Ada Byron", start: 0, end: 9 };
  expectGroups(groupEntities(judged, labels, "simple"), [{ ...place, score: (0.9 + 0.6 + 0.6 + 0.5) / 4 }]);
  expectGroups(groupEntities(judged, labels, "first"), [{ ...place, score: (0.9 + 0.5) / 2 }]);
});

describe.each(GROUPING)("%s", (strategy) => {
  const cases: readonly (readonly [what: string, tags: string, entities: readonly string[]])[] = [
    ["I- alone: neighbours of a type are one", "I-X I-X O I-X I-Y", ["X a b", "X d", "Y e"]],
    ["B- begins, also straight after its own type", "B-X B-X I-X O B-X", ["X a", "X b c", "X e"]],
    ["I- begins too where there is nothing to go on with", "O I-X I-Y O I-Y", ["X b", "Y c", "Y e"]],
    ["entities at both ends", "B-X O O B-Y I-Y", ["X a", "Y d e"]],
    ["BIOES", "S-X S-X B-X I-X E-X", ["X a", "X b", "X c d e"]],
    ["E- and S- end", "B-X E-X I-X S-X I-X", ["X a b", "X c", "X d", "X e"]],
    ["plain labels: neighbours are one", "DET NOUN NOUN VERB VERB", ["DET a", "NOUN b c", "VERB d e"]],
    ["a type with a hyphen", "B-X-Y I-X-Y I-X O B-X-Y", ["X-Y a b", "X c", "X-Y e"]],
    ["prefixes alone", "B I O B B", [" a b", " d", " e"]],
    ["a plain label that looks like a prefix", "S NP S VP NP", ["S a", "NP b", "S c", "VP d", "NP e"]],
    ["labels of which some have prefixes", "B-X I-X X [SEP] O", ["X a b c", "[SEP] d"]],
    ["nothing", "O O O O O", []],
  ];
  test.each(cases)("%s", (_what, tags, entities) => {
    expect(brief(groupEntities(...certain("a b c d e", tags), strategy))).toEqual(entities);
  });

  test("ignores types, not labels", () => {
    const [judged, labels] = certain("a b c", "B-X O B-Y");
    expect(brief(groupEntities(judged, labels, strategy, ["X"]))).toEqual(["O b", "Y c"]);
    expect(brief(groupEntities(judged, labels, strategy, []))).toEqual(["X a", "O b", "Y c"]);
    expect(brief(groupEntities(judged, labels, strategy, ["B-X", "O"]))).toEqual(["X a", "Y c"]);
  });

  test("what is left out ends an entity all the same", () => {
    expect(brief(groupEntities(...certain("a b c", "I-X O I-X"), strategy))).toEqual(["X a", "X c"]);
  });

  test("a text without tokens has no entities", () => {
    expect(groupEntities({ text: " ", tokens: [], hasWords: false }, ["O", "I-X"], strategy)).toEqual([]);
  });

  test("tells which of given words an entity is", () => {
    const [judged, labels] = certain("a b|b cc", "O B-X I-X I-X");
    const tokens = judged.tokens.map((token) => ({ ...token, word: 2 * token.word })); // words without tokens between
    expect(groupEntities({ ...judged, tokens, hasWords: true }, labels, strategy)).toEqual([
      { entity_group: "X", score: expect.any(Number), word: "bb cc", start: 2, end: 7, start_word: 2, end_word: 5 },
    ]);
  });
});

test("an entity keeps the accents behind its last letter, but none that a token begins with", () => {
  const text = "Jose\u0301 Jose\u0301";
  const probabilities = Float32Array.of(0, 1);
  const tokens = [
    { token: "jose", word: 0, start: 0, end: 4, probabilities },
    { token: "jose", word: 1, start: 6, end: 10, probabilities },
  ];
  const labels = ["O", "B-PER"];
  const groups = groupEntities({ text, tokens, hasWords: false }, labels, "simple");
  expect(brief(groups)).toEqual(["PER Jose\u0301", "PER Jose\u0301"]);
  expect(groups.map(({ start, end }) => [start, end])).toEqual([
    [0, 5],
    [6, 11],
  ]);
  const accent = { token: "\u0301", word: 1, start: 4, end: 5, probabilities };
  const split = groupEntities({ text, tokens: [tokens[0], accent], hasWords: false }, labels, "simple");
  expect(split.map(({ start, end }) => [start, end])).toEqual([
    [0, 4],
    [4, 5],
  ]);
});

test("an entity covers its tokens, also where marks were put into another order", () => {
  const probabilities = Float32Array.of(1);
  const places = [
    [0, 1],
    [3, 4],
    [1, 3],
  ];
  const tokens = places.map(([start, end]) => ({ token: "x", word: 0, start, end, probabilities }));
  const spans = (some: typeof tokens) =>
    groupEntities({ text: "abcd", tokens: some, hasWords: false }, ["I-X"], "first").map(({ word }) => word);
  expect(spans(tokens)).toEqual(["abcd"]);
  expect(spans(tokens.slice(1))).toEqual(["bcd"]);
});

test("a group may be as long as a book", () => {
  const token = { token: "a", word: 0, start: 0, end: 1, probabilities: Float32Array.of(1) };
  const tokens = Array.from({ length: 300_000 }, (_, i) => ({ ...token, word: i, start: 2 * i, end: 2 * i + 1 }));
  const text = "a ".repeat(tokens.length);
  const [{ start, end }] = groupEntities({ text, tokens, hasWords: false }, ["O"], "average", []);
  expect([start, end]).toEqual([0, text.length - 1]);
});
