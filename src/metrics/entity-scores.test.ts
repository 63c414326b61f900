import { describe, expect, test } from "vitest";
import { Random } from "../base/random.ts";
import { convertTags, type TagScheme } from "../data/tag-schemes.ts";
import { type EntityReport, entityScores, type JudgedTags } from "./entity-scores.ts";

const scores = (gold: string[], predicted: string[]) =>
  entityScores({ gold: gold.map((tags) => tags.split(" ")), predicted: predicted.map((tags) => tags.split(" ")) });

describe("by hand", () => {
  test("the example in seqeval's documentation", () => {
    const report = scores(
      ["O O O B-MISC I-MISC I-MISC O", "B-PER I-PER O"],
      ["O O B-MISC I-MISC I-MISC I-MISC O", "B-PER I-PER O"],
    );
    const half = { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 };
    expect(report).toEqual({
      tokenAccuracy: 0.8,
      micro: half,
      macro: half,
      weighted: half,
      types: [
        { type: "MISC", precision: 0, recall: 0, f1: 0, support: 1 },
        { type: "PER", precision: 1, recall: 1, f1: 1, support: 1 },
      ],
    });
  });

  test("types of unequal weight, one of them predicted only", () => {
    const report = scores(["B-A O B-A O B-A O B-B I-B"], ["B-A O B-A O O B-C B-B I-B"]);
    expect(report.types).toEqual([
      { type: "A", precision: 1, recall: 2 / 3, f1: 0.8, support: 3 },
      { type: "B", precision: 1, recall: 1, f1: 1, support: 1 },
      { type: "C", precision: 0, recall: 0, f1: 0, support: 0 },
    ]);
    expect(report.micro).toEqual({ precision: 0.75, recall: 0.75, f1: 0.75, support: 4 });
    expect(report.macro.f1).toBeCloseTo(0.6, 12);
    expect(report.weighted.f1).toBeCloseTo(0.85, 12);
    expect(report.weighted.recall).toBeCloseTo(0.75, 12);
    expect(report.tokenAccuracy).toBe(0.75);
  });

  test("an entity of the wrong type is missed under one type and invented under the other", () => {
    const report = scores(["B-A I-A O"], ["B-B I-B O"]);
    expect(report.micro.f1).toBe(0);
    expect(report.types.map(({ type, support }) => [type, support])).toEqual([
      ["A", 1],
      ["B", 0],
    ]);
  });

  test("entities end with their sentence, and equal positions in other sentences are others", () => {
    expect(scores(["I-A", "I-A"], ["I-A", "I-A"]).micro).toEqual({ precision: 1, recall: 1, f1: 1, support: 2 });
    expect(scores(["B-A", "O"], ["O", "B-A"]).micro.f1).toBe(0);
  });

  test("gold and predictions may use different schemes, to which only the token accuracy is sensitive", () => {
    const report = scores(["B-A I-A O B-B"], ["B-A E-A O S-B"]);
    expect(report.micro.f1).toBe(1);
    expect(report.tokenAccuracy).toBe(0.5);
  });

  test("nothing to find, nothing found, and nothing at all score 0", () => {
    const zero = { precision: 0, recall: 0, f1: 0, support: 0 };
    expect(scores(["O O"], ["O O"])).toEqual({ tokenAccuracy: 1, micro: zero, macro: zero, weighted: zero, types: [] });
    expect(entityScores({ gold: [], predicted: [] }).tokenAccuracy).toBe(0);
    expect(scores(["O B-A"], ["O O"]).micro).toEqual({ ...zero, support: 1 });
    expect(scores(["O O"], ["O B-A"]).weighted).toEqual(zero);
  });

  test("types may have any name", () => {
    const report = scores(["B-__proto__ B-constructor B"], ["B-__proto__ B-constructor B"]);
    expect(report.types.map(({ type }) => type)).toEqual(["", "__proto__", "constructor"]);
    expect(report.micro.f1).toBe(1);
  });

  test.each([
    ["sentences", { gold: [["O"]], predicted: [] }],
    ["tokens of sentence 1", { gold: [["O"], ["O", "O"]], predicted: [["O"], ["O"]] }],
  ])("%s that differ in number are SHAPE_MISMATCH", (things, judged) => {
    const message = expect.stringContaining(`Gold and predicted ${things} differ in number`);
    expect(() => entityScores(judged)).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH", message }));
  });

  test("a tag without a known prefix is ROW_MALFORMED", () => {
    expect(() => scores(["B-A"], ["NN"])).toThrow(expect.objectContaining({ code: "ROW_MALFORMED" }));
  });
});

/** conlleval's two questions, as tables of the pairs of prefixes between which a chunk of one type ends or starts. */
const ENDS = "BB BS BO IB IS IO EB EI EE ES EO SB SI SE SS SO".split(" ");
const STARTS = "BB BS IB IS EB EI EE ES SB SI SE SS OB OI OE OS".split(" ");

type Tally = { gold: number; predicted: number; correct: number };

/**
 * conlleval's main loop, from its published rules: it goes through the lines once, and keeps for each side no more than
 * the last tag, and for both whether the chunk that they are in has been the same from its start. `S`, and `EB`, are
 * seqeval's additions to the tables.
 */
function conlleval({ gold, predicted }: JudgedTags) {
  const byType = new Map<string, Tally>();
  const all: Tally = { gold: 0, predicted: 0, correct: 0 };
  const count = (type: string, kind: keyof Tally) => {
    const tally = byType.get(type) ?? { gold: 0, predicted: 0, correct: 0 };
    tally[kind]++;
    all[kind]++;
    byType.set(type, tally);
  };
  // A boundary, which counts as O, stands after each sentence.
  const lines = gold.flatMap((tags, i) => [...tags.map((tag, j) => [tag, predicted[i][j]]), ["O", "O"]]);
  const sameTags = gold.flatMap((tags, i) => tags.map((tag, j) => tag === predicted[i][j]));
  let inCorrect = false;
  let last = [
    ["O", ""],
    ["O", ""],
  ];
  for (const line of lines) {
    const now = line.map((tag) => [tag.slice(0, 1), tag.slice(2)]);
    const changes = (table: string[], side: number, inside: string) => {
      const [[lastPrefix, lastType], [prefix, type]] = [last[side], now[side]];
      return table.includes(lastPrefix + prefix) || (inside !== "O" && lastType !== type);
    };
    const [goldEnds, predictedEnds] = [0, 1].map((side) => changes(ENDS, side, last[side][0]));
    const [goldStarts, predictedStarts] = [0, 1].map((side) => changes(STARTS, side, now[side][0]));
    const sameType = now[0][1] === now[1][1];
    if (inCorrect) {
      if (goldEnds && predictedEnds && last[0][1] === last[1][1]) {
        inCorrect = false;
        count(last[0][1], "correct");
      } else if (goldEnds !== predictedEnds || !sameType) {
        inCorrect = false;
      }
    }
    if (goldStarts && predictedStarts && sameType) inCorrect = true;
    if (goldStarts) count(now[0][1], "gold");
    if (predictedStarts) count(now[1][1], "predicted");
    last = now;
  }
  const percent = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
  const figures = (tally: Tally) => {
    const precision = percent(tally.correct, tally.predicted);
    const recall = percent(tally.correct, tally.gold);
    const f1 = precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
    return { precision, recall, f1, support: tally.gold };
  };
  return {
    tokenAccuracy: percent(sameTags.filter((same) => same).length, sameTags.length),
    micro: figures(all),
    types: [...byType.keys()].toSorted().map((type) => ({ type, ...figures(byType.get(type) ?? all) })),
  };
}

const PREFIXES: { [S in TagScheme | "mixed"]: string[] } = {
  IO: ["I"],
  IOB1: ["B", "I"],
  IOB2: ["B", "I"],
  BIOES: ["B", "I", "E", "S"],
  mixed: ["B", "I", "E", "S"],
};
const schemes = ["IO", "IOB1", "IOB2", "BIOES", "mixed"] as const;

/** Up to three sentences of tags, valid in their scheme or, half of the time, anything; predictions stray from gold. */
function randomTags(random: Random, scheme: TagScheme | "mixed"): JudgedTags {
  const types = ["PER", "LOC", "creative-work"].slice(0, 1 + random.below(3));
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)];
  const tag = () => (random.below(3) === 0 ? "O" : `${pick(PREFIXES[scheme])}-${pick(types)}`);
  const valid = scheme !== "mixed" && random.below(2) === 0;
  const written = (tags: string[]) => (valid ? convertTags(tags, scheme) : tags);
  const gold = Array.from({ length: 1 + random.below(3) }, () => Array.from({ length: random.below(9) }, tag));
  const predicted = gold.map((tags) => tags.map((own) => (random.below(4) === 0 ? tag() : own)));
  return { gold: gold.map(written), predicted: predicted.map(written) };
}

test.each(schemes)("equals conlleval on 4,000 random pairs of tag sequences: %s", (scheme) => {
  const random = Random.of(17, scheme);
  const round = (report: Pick<EntityReport, "micro" | "types" | "tokenAccuracy">) =>
    JSON.stringify(report, (_, value) => (typeof value === "number" ? Number(value.toFixed(12)) : value));
  let found = 0;
  for (let i = 0; i < 4000; i++) {
    const judged = randomTags(random, scheme);
    const { micro, macro, weighted, types, tokenAccuracy } = entityScores(judged);
    const expected = conlleval(judged);
    expect(round({ tokenAccuracy, micro, types }), JSON.stringify(judged)).toBe(
      round({ tokenAccuracy: expected.tokenAccuracy, micro: expected.micro, types: expected.types }),
    );
    // seqeval's means over what conlleval says of each type
    const mean = (values: number[]) => (values.length === 0 ? 0 : values.reduce((a, b) => a + b) / values.length);
    for (const key of ["precision", "recall", "f1"] as const) {
      expect(macro[key]).toBeCloseTo(mean(expected.types.map((type) => type[key])), 12);
      const ofEachEntity = expected.types.flatMap((type) => Array.from({ length: type.support }, () => type[key]));
      expect(weighted[key]).toBeCloseTo(mean(ofEachEntity), 12);
    }
    if (micro.f1 > 0 && micro.f1 < 1) found++;
  }
  expect(found, "pairs that are neither all right nor all wrong").toBeGreaterThan(1000);
});
