import { type CharacterTable, decompose, isAccent } from "./characters.ts";
import { NEWER_MARKS, REMOVED } from "./unicode-tables.ts";

/** A normalised text and, for each of its UTF-16 units, start and end of the character that it comes from. */
export interface NormalizedText {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

type Visit = (part: string, start: number, end: number) => void;

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Of the highest combining class there is, so that any other mark moves before it. */
const LAST_MARK = "\u0345";

/** Normalises a whole text. Reading word by word does this on the way; only added tokens need it apart. */
export function normalizeText(text: string, table: CharacterTable): NormalizedText {
  let normalized = "";
  const starts: number[] = [];
  const ends: number[] = [];
  const add: Visit = (part, start, end) => {
    normalized += part;
    for (let i = 0; i < part.length; i++) {
      starts.push(start);
      ends.push(end);
    }
  };
  const characters = Array.from(text, (original) => table.of(original.codePointAt(0)!));
  if (characters.some(({ movable }) => movable)) {
    visitInCanonicalOrder(text, table, add);
  } else {
    let end = 0;
    for (const original of text) {
      const { role, text: part } = table.of(original.codePointAt(0)!);
      end += original.length;
      add(role === "ideograph" ? ` ${part} ` : part, end - original.length, end);
    }
  }
  return { text: normalized, starts, ends };
}

/**
 * Normalises a text whose accents are stripped but in which marks occur that are kept, so that canonical ordering shows.
 * Calls `visit` with each character that results and the range of UTF-16 units that it comes from. As in the Rust library,
 * a mark that is moved takes the range of the one whose place it takes.
 */
export function visitInCanonicalOrder(text: string, table: CharacterTable, visit: Visit): void {
  const parts: { text: string; isFirst: boolean }[] = []; // isFirst: of those that its character became
  const starts: number[] = [];
  const ends: number[] = [];
  let end = 0;
  for (const original of text.replace(LONE_SURROGATE, "\ufffd")) {
    end += original.length;
    if (table.cleanText && REMOVED.has(original.codePointAt(0)!)) continue;
    starts.push(end - original.length);
    ends.push(end);
    for (const [index, part] of partsOf(original, table).entries()) parts.push({ text: part, isFirst: index === 0 });
  }
  let source = -1;
  for (const { text: part, isFirst } of inCanonicalOrder(parts)) {
    if (isFirst) source++;
    if (!isAccent(part)) visit(table.lowercase ? part.toLowerCase() : part, starts[source], ends[source]);
  }
}

function partsOf(original: string, table: CharacterTable): string[] {
  const { role, text } = table.of(original.codePointAt(0)!);
  if (role === "space") return [text];
  return role === "ideograph" ? [" ", ...decompose(original), " "] : decompose(original);
}

/** Sorts every run of marks by their combining classes (Unicode 3.11, D109), which the engine alone knows. */
function* inCanonicalOrder<P extends { readonly text: string }>(parts: readonly P[]): Generator<P> {
  let marks: P[] = [];
  for (const part of parts) {
    if (part.text === LAST_MARK || areReversed(LAST_MARK, part.text)) {
      marks.push(part);
    } else {
      yield* marks.sort(byClass);
      yield part;
      marks = [];
    }
  }
  yield* marks.sort(byClass);
}

function byClass(a: { readonly text: string }, b: { readonly text: string }): number {
  return Number(areReversed(a.text, b.text)) - Number(areReversed(b.text, a.text));
}

/** Whether the engine swaps two neighbours, and the Rust library does so too. */
function areReversed(first: string, second: string): boolean {
  if (NEWER_MARKS.has(first.codePointAt(0)!) || NEWER_MARKS.has(second.codePointAt(0)!)) return false;
  return first !== second && (first + second).normalize("NFD") === second + first;
}
