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
    for (const [index, part] of partsOf(original, table).entries()) {
      let place = parts.length;
      while (place > 0 && areReversed(parts[place - 1].text, part)) place--;
      parts.splice(place, 0, { text: part, isFirst: index === 0 });
    }
  }
  let source = -1;
  for (const { text: part, isFirst } of parts) {
    if (isFirst) source++;
    if (!isAccent(part)) visit(table.lowercase ? part.toLowerCase() : part, starts[source], ends[source]);
  }
}

function partsOf(original: string, table: CharacterTable): string[] {
  const { role, text } = table.of(original.codePointAt(0)!);
  if (role === "space") return [text];
  return role === "ideograph" ? [" ", ...decompose(original), " "] : decompose(original);
}

/** Whether two neighbours stand against canonical order (Unicode 3.11, D108), as far as the Rust library knows them. */
function areReversed(first: string, second: string): boolean {
  if (NEWER_MARKS.has(first.codePointAt(0)!) || NEWER_MARKS.has(second.codePointAt(0)!)) return false;
  return first !== second && (first + second).normalize("NFD") === second + first;
}
