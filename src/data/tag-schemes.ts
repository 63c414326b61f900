import { ClozeError } from "../base/errors.ts";
import { quote } from "../base/quote.ts";

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

/** Where the tag of a token stands, for messages: "train.conll, line 7". */
export type PlaceOf = (token: number) => string;

const numbered: PlaceOf = (token) => `token ${token + 1}`;

/**
 * The entities that tags spell out, in order, by conlleval's rules (Tjong Kim Sang, 2004), which read all schemes alike
 * and every invalid transition as something: an entity goes on through `I-` and `E-` of its type, up to the first `E-`,
 * and any other tag but `O` begins one. `S`, which conlleval does not know, and `B-` straight after an `E-` of its
 * type, which conlleval joins to it, are read as seqeval reads them.
 *
 * @throws ClozeError ROW_MALFORMED for a tag that is neither `O` nor begins with `B`, `I`, `E` or `S`
 */
export function entitiesOf(tags: readonly string[], placeOf = numbered): Entity[] {
  const entities: Entity[] = [];
  let previous = OUTSIDE;
  for (const [start, text] of tags.entries()) {
    const tag = parseTag(text, start, placeOf);
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
export function convertTags(tags: readonly string[], scheme: TagScheme, placeOf = numbered): string[] {
  const converted = tags.map(() => "O");
  let previous: Entity | undefined;
  for (const entity of entitiesOf(tags, placeOf)) {
    const { type, start, end } = entity;
    const touches = previous?.type === type && previous.end === start;
    for (const [i, prefix] of Array.from(SPELLINGS[scheme](end - start, touches)).entries()) {
      converted[start + i] = type === "" ? prefix : `${prefix}-${type}`;
    }
    previous = entity;
  }
  return converted;
}

/** What sentences are tagged in. `IOE` only ends entities; `plain` tags spell none, as parts of speech; `mixed` do both. */
export type DetectedScheme = TagScheme | "IOE" | "plain" | "mixed";

/**
 * The scheme of a file's sentences. Where every tag is `O` or has a prefix: `BIOES` if any has `E` or `S`, or `IOE` if
 * these have no `B` or `S`; else `IO` if none has `B` (also IOB1 files in which nothing touches); else `IOB1` if every
 * `B` comes straight after its own type; else `IOB2`. Other tags are `plain`, but `mixed` if any is a letter, a hyphen
 * and a type.
 */
export function detectScheme(sentences: readonly (readonly string[])[]): DetectedScheme {
  const distinct = [...new Set(sentences.flat())];
  const known = distinct.flatMap((tag) => tagOf(tag) ?? []);
  if (known.length < distinct.length) return distinct.some((tag) => /^[a-z]-./i.test(tag)) ? "mixed" : "plain";
  const has = (letters: string) => known.some(({ prefix }) => letters.includes(prefix));
  if (has("ES")) return has("BS") ? "BIOES" : "IOE";
  if (!has("B")) return "IO";
  return sentences.every((tags) => invalidTransitions(tags, "IOB1").length === 0) ? "IOB1" : "IOB2";
}

/** Whether a scheme lets a tag follow another, or what stands before or after a sentence, which is as `O`. */
const ALLOWED: { [S in TagScheme]: (previous: Tag, tag: Tag) => boolean } = {
  IO: (_, { prefix }) => "OI".includes(prefix),
  IOB1: ({ prefix: before, type }, tag) =>
    "OI".includes(tag.prefix) || (tag.prefix === "B" && before !== "O" && type === tag.type),
  IOB2: (previous, tag) => "OB".includes(tag.prefix) || (tag.prefix === "I" && continues(previous, tag)),
  BIOES: (previous, tag) => (isOpen(previous) ? continues(previous, tag) : "OBS".includes(tag.prefix)),
};

/**
 * The transitions that a scheme forbids, as the indexes of their second tags; the sentence's length for an entity that
 * its end cuts off. A tag that the scheme does not have counts too. ({@link entitiesOf} reads them all the same.)
 *
 * @throws ClozeError ROW_MALFORMED as {@link entitiesOf}
 */
export function invalidTransitions(tags: readonly string[], scheme: TagScheme): number[] {
  const parsed = [...tags.map((tag, i) => parseTag(tag, i, numbered)), OUTSIDE];
  return parsed.flatMap((tag, i) => (ALLOWED[scheme](parsed[i - 1] ?? OUTSIDE, tag) ? [] : [i]));
}

/** Whether a tag goes on with the entity of the one before it. */
export function continues(previous: TagParts, { prefix, type }: TagParts): boolean {
  return isOpen(previous) && (prefix === "I" || prefix === "E") && previous.type === type;
}

/** Whether the entity of a tag may go on. */
function isOpen({ prefix }: TagParts): boolean {
  return prefix === "B" || prefix === "I";
}

function parseTag(text: string, token: number, placeOf: PlaceOf): Tag {
  const tag = tagOf(text);
  if (tag !== undefined) return tag;
  throw new ClozeError("ROW_MALFORMED", {
    problem: `${placeOf(token)} has a malformed tag`,
    expected: "O, or B-, I-, E- or S- and the type of an entity",
    received: quote(text),
    cure: /^[LUM](-|$)/.test(text)
      ? "Rename L- to E-, U- to S- and M- to I-."
      : "Correct it; tags that spell no entities need a training with --scheme plain.",
  });
}

function tagOf(text: string): Tag | undefined {
  if (text === "O") return OUTSIDE;
  const prefix = text[0];
  const known = prefix === "B" || prefix === "I" || prefix === "E" || prefix === "S";
  return known && (text.length === 1 || text[1] === "-") ? { prefix, type: text.slice(2) } : undefined;
}
