import { parseAnswers, parseNoAnswerScores, parseSquad, type SquadData, type SquadOptions } from "./squad.ts";
import { malformedRow } from "./table-row.ts";
import { openText } from "./text.node.ts";
import { MAX_LINE_LENGTH } from "./text-lines.ts";

export type { SkipReason, SquadAnswer, SquadData, SquadQuestion } from "./squad.ts";

/**
 * Reads the questions of a SQuAD file, version 1.1 or 2.0, gzip or not, as {@link parseSquad} says. Holds the file.
 *
 * @throws ClozeError FILE_MISSING; INVALID_UTF8; GZIP_TRUNCATED; GZIP_MALFORMED; FORMAT_UNKNOWN; ROW_MALFORMED; FILE_EMPTY
 */
export async function readSquad(path: string, options?: SquadOptions): Promise<SquadData> {
  return parseSquad(await readWhole(path), path, options);
}

/**
 * Whether a file begins as SQuAD's JSON does, which in a table of JSON Lines would be a column of lists named "data".
 *
 * @throws ClozeError FILE_MISSING; INVALID_UTF8; GZIP_TRUNCATED; GZIP_MALFORMED
 */
export async function isSquad(path: string): Promise<boolean> {
  let head = "";
  for await (const piece of openText(path)) {
    head += piece;
    if (head.length >= HEAD_LENGTH) break;
  }
  return /^\s*\{\s*("version"\s*:\s*("[^"]*"|[\d.]+|null)\s*,\s*)?"data"\s*:\s*\[/.test(head);
}

/** Characters in which "data" begins, whatever white space there is. */
const HEAD_LENGTH = 4096;

/**
 * Reads predicted answers by question id, from the JSON that every system for SQuAD writes, gzip or not.
 *
 * @throws ClozeError as {@link readSquad}
 */
export async function readAnswers(path: string): Promise<Map<string, string>> {
  return parseAnswers(await readWhole(path), path);
}

/**
 * Reads no-answer scores by question id, from the JSON that systems for SQuAD 2.0 write, gzip or not.
 *
 * @throws ClozeError as {@link readSquad}
 */
export async function readNoAnswerScores(path: string): Promise<Map<string, number>> {
  return parseNoAnswerScores(await readWhole(path), path);
}

async function readWhole(path: string): Promise<string> {
  let text = "";
  for await (const piece of openText(path)) {
    text += piece;
    if (text.length > MAX_LINE_LENGTH) throw malformedRow(path, `at most ${MAX_LINE_LENGTH} characters`, "more");
  }
  return text;
}
