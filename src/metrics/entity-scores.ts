import { ClozeError } from "../base/errors.ts";
import { type Entity, entitiesOf } from "../data/tag-schemes.ts";
import type { LabelScores } from "./classification.ts";
import { ratio } from "./ratio.ts";

/** The tags of some sentences, [sentence][token], as they are and as they were predicted. */
export interface JudgedTags {
  gold: readonly (readonly string[])[];
  predicted: readonly (readonly string[])[];
}

/** How well the entities of one type are found; `support` is the number of gold entities. */
export interface TypeScores extends LabelScores {
  type: string;
}

export interface EntityReport {
  /** The share of tokens that were given their own tag, `O` included. */
  tokenAccuracy: number;
  /** All entities pooled: conlleval's first line, and the F1 that papers report. */
  micro: LabelScores;
  /** The plain mean over types. */
  macro: LabelScores;
  /** The mean over types, each weighted by its number of gold entities. */
  weighted: LabelScores;
  /** The types of gold and predicted entities, in alphabetical order. */
  types: TypeScores[];
}

/** How many entities of a type there are, were predicted, and were predicted with their exact start, end and type. */
interface Counts {
  gold: number;
  predicted: number;
  correct: number;
}

/**
 * Precision, recall and F1 of whole entities, from tags of any scheme. An entity is right only where type, first and
 * last token are. What is an entity {@link entitiesOf} says.
 *
 * Overall, per type and for tokens these are the figures of conlleval (Tjong Kim Sang, version of 2004-01-26), as
 * shares where it prints percentages. It has no macro and weighted means; these are as in seqeval 1.2.2 (Nakayama
 * 2018) in its default mode with `zero_division=0`. The two differ in what an entity is only where conlleval does not
 * know `S`, so that neighbouring `S-` tags of a type are one entity to it, nor that `B-` begins one after an `E-` of
 * its type; here seqeval is followed. Of a prefix alone, such as `B`, the type is empty here and in conlleval, and `_`
 * in seqeval. A tag without a known prefix is an error here alone.
 *
 * @throws ClozeError SHAPE_MISMATCH where gold and predicted sentences or tokens differ in number; ROW_MALFORMED for a
 *   tag that {@link entitiesOf} cannot read
 */
export function entityScores({ gold, predicted }: JudgedTags): EntityReport {
  checkSameLength("sentences", gold, predicted);
  const counts = new Map<string, Counts>();
  const countsOf = (type: string): Counts => {
    const found = counts.get(type) ?? { gold: 0, predicted: 0, correct: 0 };
    counts.set(type, found);
    return found;
  };
  let tokens = 0;
  let correctTokens = 0;
  for (const [i, goldTags] of gold.entries()) {
    const predictedTags = predicted[i];
    checkSameLength(`tokens of sentence ${i}`, goldTags, predictedTags);
    tokens += goldTags.length;
    correctTokens += goldTags.filter((tag, token) => tag === predictedTags[token]).length;
    const goldEntities = entitiesOf(goldTags);
    const goldKeys = new Set(goldEntities.map(keyOf));
    for (const { type } of goldEntities) countsOf(type).gold++;
    for (const entity of entitiesOf(predictedTags)) {
      const ofType = countsOf(entity.type);
      ofType.predicted++;
      if (goldKeys.has(keyOf(entity))) ofType.correct++;
    }
  }
  const types = Array.from(counts, ([type, ofType]) => ({ type, ...scoresOf(ofType) }));
  types.sort((a, b) => (a.type < b.type ? -1 : 1));
  return {
    tokenAccuracy: ratio(correctTokens, tokens),
    micro: scoresOf(totalOf([...counts.values()])),
    macro: meanOf(types, () => 1),
    weighted: meanOf(types, ({ support }) => support),
    types,
  };
}

function keyOf({ start, end, type }: Entity): string {
  return `${start} ${end} ${type}`;
}

function scoresOf({ gold, predicted, correct }: Counts): LabelScores {
  return {
    precision: ratio(correct, predicted),
    recall: ratio(correct, gold),
    f1: ratio(2 * correct, predicted + gold),
    support: gold,
  };
}

function totalOf(counts: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => counts.reduce((total, ofType) => total + ofType[key], 0);
  return { gold: sum("gold"), predicted: sum("predicted"), correct: sum("correct") };
}

function meanOf(types: readonly TypeScores[], weightOf: (type: TypeScores) => number): LabelScores {
  const sum = (value: (type: TypeScores) => number) => types.reduce((total, type) => total + value(type), 0);
  const mean = (key: keyof LabelScores) =>
    ratio(
      sum((type) => weightOf(type) * type[key]),
      sum(weightOf),
    );
  return {
    precision: mean("precision"),
    recall: mean("recall"),
    f1: mean("f1"),
    support: sum(({ support }) => support),
  };
}

function checkSameLength(things: string, gold: readonly unknown[], predicted: readonly unknown[]): void {
  if (gold.length === predicted.length) return;
  throw new ClozeError("SHAPE_MISMATCH", {
    problem: `Gold and predicted ${things} differ in number`,
    expected: String(gold.length),
    received: String(predicted.length),
    cure: "Give one tag for each token, also for those that the model did not see, in the same order.",
  });
}
