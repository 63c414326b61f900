import { parseAnswers, parseNoAnswerScores, parseSquad, type SquadData, type SquadOptions } from "./squad.ts";
import { malformedRow } from "./table-row.ts";
import { type OpenFile, openFile } from "./text.node.ts";
import { decodeUtf8, MAX_LINE_LENGTH } from "./text-lines.ts";

/**
 * Reads the questions of a SQuAD file, by its path or open, version 1.1 or 2.0, gzip or not, as {@link parseSquad} says. Holds
 * the file.
 *
 * @throws ClozeError FILE_MISSING; INVALID_UTF8; GZIP_TRUNCATED; GZIP_MALFORMED; FORMAT_UNKNOWN; ROW_MALFORMED; FILE_EMPTY
 */
export async function readSquad(source: string | OpenFile, options?: SquadOptions): Promise<SquadData> {
  const { name, text } = await readWhole(source);
  return parseSquad(text, name, options);
}

/**
 * Reads predicted answers by question id, from the JSON that every system for SQuAD writes, gzip or not.
 *
 * @throws ClozeError as {@link readSquad}
 */
export async function readAnswers(path: string): Promise<Map<string, string>> {
  return parseAnswers((await readWhole(path)).text, path);
}

/**
 * Reads no-answer scores by question id, from the JSON that systems for SQuAD 2.0 write, gzip or not.
 *
 * @throws ClozeError as {@link readSquad}
 */
export async function readNoAnswerScores(path: string): Promise<Map<string, number>> {
  return parseNoAnswerScores((await readWhole(path)).text, path);
}

async function readWhole(source: string | OpenFile): Promise<{ readonly name: string; readonly text: string }> {
  const { name, chunks } = typeof source === "string" ? await openFile(source) : source;
  let text = "";
  for await (const piece of decodeUtf8(name, chunks)) {
    text += piece;
    if (text.length > MAX_LINE_LENGTH) throw malformedRow(name, `at most ${MAX_LINE_LENGTH} characters`, "more");
  }
  return { name, text };
}
