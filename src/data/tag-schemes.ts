import { ClozeError } from "../base/errors.ts";

/**
 * How tags spell entities out, token by token (Ramshaw and Marcus 1995; Tjong Kim Sang and Veenstra 1999). `O` is
 * outside of every entity. `IO` has `I-` in all entities, so that two of a type that touch become one. `IOB1` begins an
 * entity with `B-` only where it touches one of its own type, `IOB2` always. `BIOES` also ends it with `E-`, and marks
 * an entity of one token with `S-`.
 */
export const TAG_SCHEMES = ["IO", "IOB1", "IOB2", "BIOES"] as const;

export type TagScheme = (typeof TAG_SCHEMES)[number];

/** An entity from token `start` up to, and without, token `end`. */
export interface Entity {
  type: string;
  start: number;
  end: number;
}

/** What a tag is made of, whichever prefixes there are. */
export interface TagParts {
  readonly prefix: string;
  readonly type: string;
}

interface Tag extends TagParts {
  prefix: "B" | "I" | "O" | "E" | "S";
  /** Empty for `O`, and for a tag that is a prefix alone. */
  type: string;
}

const OUTSIDE: Tag = { prefix: "O", type: "" };

/**
 * The entities that tags spell out, in order, by conlleval's rules (Tjong Kim Sang, 2004), which read all schemes alike
 * and every invalid transition as something: an entity goes on through `I-` and `E-` of its type, up to the first `E-`,
 * and any other tag but `O` begins one. `S`, which conlleval does not know, and `B-` straight after an `E-` of its
 * type, which conlleval joins to it, are read as seqeval reads them.
 *
 * @throws ClozeError ROW_MALFORMED for a tag that is neither `O` nor begins with `B`, `I`, `E` or `S`
 */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const entities: Entity[] = [];
  let previous = OUTSIDE;
  for (const [start, text] of tags.entries()) {
    const tag = parseTag(text);
    if (continues(previous, tag)) entities[entities.length - 1].end++;
    else if (tag.prefix !== "O") entities.push({ type: tag.type, start, end: start + 1 });
    previous = tag;
  }
  return entities;
}

/** How each scheme tags an entity, one row a scheme. `touches` says that one of the same type ends where it starts. */
const SPELLINGS: { [S in TagScheme]: (length: number, touches: boolean) => string } = {
  IO: (length) => "I".repeat(length),
  IOB1: (length, touches) => (touches ? "B" : "I") + "I".repeat(length - 1),
  IOB2: (length) => `B${"I".repeat(length - 1)}`,
  BIOES: (length) => (length === 1 ? "S" : `B${"I".repeat(length - 2)}E`),
};

/**
 * Tags the same entities in another scheme. What {@link entitiesOf} reads comes out valid, and reads as before, except
 * that `IO` joins entities of one type that touch.
 *
 * @throws ClozeError ROW_MALFORMED as {@link entitiesOf}
 */
export function convertTags(tags: readonly string[], scheme: TagScheme): string[] {
  const converted = tags.map(() => "O");
  let previous: Entity | undefined;
  for (const entity of entitiesOf(tags)) {
    const { type, start, end } = entity;
    const touches = previous?.type === type && previous.end === start;
    for (const [i, prefix] of Array.from(SPELLINGS[scheme](end - start, touches)).entries()) {
      converted[start + i] = type === "" ? prefix : `${prefix}-${type}`;
    }
    previous = entity;
  }
  return converted;
}

/**
 * The scheme of a file's sentences: `BIOES` where any tag has `E` or `S` (also IOE files, which {@link entitiesOf}
 * reads as they are meant); else `IO` where none has `B` (also IOB1 files in which nothing touches); else `IOB1` where
 * every `B` comes straight after its own type; else `IOB2`. Tags without prefixes, as parts of speech are, are
 * `"plain"`: no tag there is a letter, a hyphen and a type, and not all are `O` or bare prefixes.
 *
 * @throws ClozeError ROW_MALFORMED for the first tag that does not fit, where others have prefixes
 */
export function detectScheme(sentences: readonly (readonly string[])[]): TagScheme | "plain" {
  const distinct = [...new Set(sentences.flat())];
  const known = distinct.every((tag) => tagOf(tag) !== undefined);
  if (!known && !distinct.some((tag) => /^[a-z]-./i.test(tag))) return "plain";
  const prefixes = new Set(distinct.map((tag) => parseTag(tag).prefix));
  if (prefixes.has("E") || prefixes.has("S")) return "BIOES";
  if (!prefixes.has("B")) return "IO";
  return sentences.every(beginsOnlyWhereTouching) ? "IOB1" : "IOB2";
}

function beginsOnlyWhereTouching(sentence: readonly string[]): boolean {
  const tags = sentence.map(parseTag);
  return tags.every(({ prefix, type }, i) => {
    const previous = tags[i - 1] ?? OUTSIDE;
    return prefix !== "B" || (previous.prefix !== "O" && previous.type === type);
  });
}

/** What the schemes that forbid something allow to follow on a token outside, or at the end, of any entity. */
const BEGINNINGS: { [S in "IOB2" | "BIOES"]: string } = { IOB2: "OB", BIOES: "OBS" };

/**
 * The transitions that a scheme forbids, as the indexes of their second tags; the sentence's length for an entity that
 * its end cuts off. A tag that the scheme does not have counts too. ({@link entitiesOf} reads them all the same.)
 *
 * @throws ClozeError ROW_MALFORMED as {@link entitiesOf}
 */
export function invalidTransitions(tags: readonly string[], scheme: "IOB2" | "BIOES"): number[] {
  const parsed = [OUTSIDE, ...tags.map(parseTag), OUTSIDE];
  const invalid: number[] = [];
  for (let i = 1; i < parsed.length; i++) {
    const [previous, tag] = [parsed[i - 1], parsed[i]];
    const unfinished = scheme === "BIOES" && (previous.prefix === "B" || previous.prefix === "I");
    const known = scheme === "BIOES" || tag.prefix !== "E";
    const valid = continues(previous, tag) ? known : BEGINNINGS[scheme].includes(tag.prefix) && !unfinished;
    if (!valid) invalid.push(i - 1);
  }
  return invalid;
}

/** Whether a tag goes on with the entity of the one before it. */
export function continues(previous: TagParts, { prefix, type }: TagParts): boolean {
  const open = previous.prefix === "B" || previous.prefix === "I";
  return open && (prefix === "I" || prefix === "E") && previous.type === type;
}

function parseTag(text: string): Tag {
  const tag = tagOf(text);
  if (tag !== undefined) return tag;
  throw new ClozeError("ROW_MALFORMED", {
    problem: `The tag ${JSON.stringify(text)} is malformed`,
    expected: "O, or B-, I-, E- or S- and the type of an entity",
    cure: "Rename L- to E-, U- to S- and M- to I-; tags without entities must all be without prefixes.",
  });
}

function tagOf(text: string): Tag | undefined {
  if (text === "O") return OUTSIDE;
  const prefix = text[0];
  const known = prefix === "B" || prefix === "I" || prefix === "E" || prefix === "S";
  return known && (text.length === 1 || text[1] === "-") ? { prefix, type: text.slice(2) } : undefined;
}
