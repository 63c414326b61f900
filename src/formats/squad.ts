import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { hasText } from "../base/has-text.ts";
import { plainWords } from "../base/plain-words.ts";
import { quote } from "../base/quote.ts";
import { findDuplicateKey } from "./duplicate-keys.ts";
import { ENDS_EARLY, formatJson, parseJson } from "./json.ts";
import { looksLike, looksLikeTable } from "./looks-like.ts";
import { malformedRow } from "./table-row.ts";

export interface SquadOptions {
  /** Refuse a file that says of no question what answers it or that nothing does. Default true; predicting needs no answers. */
  readonly requireAnswers?: boolean;
}

/** What answers a question. */
export interface SquadAnswer {
  readonly text: string;
  /**
   * Where it stands, `context.slice(start, end)`, in UTF-16 units. Absent where it is blank or does not stand where the file
   * says: such an answer counts in figures, as in the official script, but shows no place to learn.
   */
  readonly span?: { readonly start: number; readonly end: number };
}

export interface SquadQuestion {
  readonly id: string;
  readonly question: string;
  readonly context: string;
  readonly title?: string;
  /** All that the file has, which for an impossible question is usually none. */
  readonly answers: readonly SquadAnswer[];
  /** Whether the file says that the context holds no answer, as only SQuAD 2.0 has it. */
  readonly isImpossible: boolean;
}

/** Why a question is left out. */
export const SKIP_REASONS = ["empty context", "empty question"] as const;

export type SkipReason = (typeof SKIP_REASONS)[number];

export interface SquadData {
  readonly questions: readonly SquadQuestion[];
  /** Questions that were left out. */
  readonly skipped: readonly { readonly id: string; readonly reason: SkipReason }[];
}

const AnswerSchema = z.object({ text: z.string(), answer_start: z.int() });
const QuestionSchema = z.object({
  id: z.union([z.string(), z.int().transform(String)], { error: "neither text nor a whole number" }),
  question: z.string(),
  answers: z.array(AnswerSchema).default([]),
  is_impossible: z.boolean().default(false),
});
const ParagraphSchema = z.object({ context: z.string(), qas: z.array(QuestionSchema) });
const ArticleSchema = z.object({ title: z.string().nullish(), paragraphs: z.array(ParagraphSchema) });
const FileSchema = z.object({ data: z.array(ArticleSchema) });

const FORM = 'the JSON of SQuAD, {"data": [{"paragraphs": [{"context", "qas"}]}]}';

/**
 * Reads the text of a SQuAD file, version 1.1 or 2.0 (Rajpurkar et al. 2016 and 2018). `answer_start` counts code points,
 * as Python does; where the answer does not stand there but does where UTF-16 units would put it, the file was written by
 * a program that counts those. Answers that stand at neither place have no span.
 *
 * @param source names the file in errors
 * @throws ClozeError FORMAT_UNKNOWN; ROW_MALFORMED, which names article, paragraph and question, each from 1, or an id
 *   that two questions have; FILE_EMPTY where there is no question, none that is not left out, or no answer to any
 */
export function parseSquad(text: string, source: string, { requireAnswers = true }: SquadOptions = {}): SquadData {
  const json = jsonOf(text, source, FORM);
  const rows = isObject(json) ? json.data : json;
  if (isFlat(Array.isArray(rows) ? rows[0] : json)) throw flatFormat(source);
  if (!isObject(json) || !Array.isArray(json.data)) throw unknownFormat(source, FORM, describe(json));
  const file = FileSchema.safeParse(json, { error: plainWords });
  if (!file.success) {
    const faults = file.error.issues.map(({ path, message }) => `${placeIn(path)}: ${message}`);
    throw malformedRow(source, FORM, faults.slice(0, 3).join("; "));
  }
  const questions: SquadQuestion[] = [];
  const skipped: { id: string; reason: SkipReason }[] = [];
  const ids = new Set<string>();
  for (const { title, paragraphs } of file.data.data) {
    for (const { context, qas } of paragraphs) {
      const offsets = codePointOffsets(context);
      for (const { id, question, answers: given, is_impossible: isImpossible } of qas) {
        if (ids.has(id)) throw malformedRow(source, "a different id for each question", `${JSON.stringify(id)} twice`);
        ids.add(id);
        const answers = given.map(({ text, answer_start }) => {
          const start = findStart(text, answer_start, context, offsets);
          return start === undefined ? { text } : { text, span: { start, end: start + text.length } };
        });
        const reason = skipReason(context, question);
        if (reason !== undefined) skipped.push({ id, reason });
        else questions.push({ id, question, context, ...(title != null && { title }), answers, isImpossible });
      }
    }
  }
  if (questions.length === 0) throw emptyFile(source, "no question to answer", skipped);
  if (requireAnswers && !questions.some(({ answers, isImpossible }) => isImpossible || answers.length > 0)) {
    throw emptyFile(source, "questions, but no answer to any");
  }
  return { questions, skipped };
}

/**
 * Reads the text of a file of predictions, `{ id: text }`, as every system for SQuAD writes it.
 *
 * @param source names the file in errors
 * @throws ClozeError FORMAT_UNKNOWN; FILE_EMPTY; ROW_MALFORMED for a value that is no text and for an id that is there
 *   twice
 */
export function parseAnswers(text: string, source: string): Map<string, string> {
  return parseById(text, source, "a JSON object of texts by question id", z.string());
}

/**
 * The text of a file of predictions, `{ id: text }`, which the official script and {@link parseAnswers} read. No answer is
 * the empty text.
 */
export function encodeAnswers(answers: ReadonlyMap<string, string>): string {
  return formatJson(Object.fromEntries(answers));
}

/**
 * Reads the text of a file of no-answer scores, `{ id: number }`, which systems for SQuAD 2.0 write beside predictions.
 *
 * @throws ClozeError as {@link parseAnswers}, for a value that is no number
 */
export function parseNoAnswerScores(text: string, source: string): Map<string, number> {
  return parseById(text, source, "a JSON object of numbers by question id", z.number());
}

function parseById<T>(text: string, source: string, form: string, schema: z.ZodType<T>): Map<string, T> {
  const json = jsonOf(text, source, form);
  if (!isObject(json) || Array.isArray(json.data)) throw unknownFormat(source, form, describe(json));
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw malformedRow(source, "each id once", `${JSON.stringify(twice)} twice`);
  const values = new Map<string, T>();
  for (const [id, value] of Object.entries(json)) {
    const result = schema.safeParse(value, { error: plainWords });
    if (!result.success)
      throw malformedRow(`${source}, id ${JSON.stringify(id)}`, form, result.error.issues[0].message);
    values.set(id, result.data);
  }
  if (values.size === 0) throw emptyFile(source, "no ids");
  return values;
}

function skipReason(context: string, question: string): SkipReason | undefined {
  if (!hasText(context)) return "empty context";
  return hasText(question) ? undefined : "empty question";
}

/** Where an answer starts, in UTF-16 units, if it stands where `stated` says, in code points or else in UTF-16 units. */
function findStart(text: string, stated: number, context: string, offsets?: readonly number[]): number | undefined {
  if (text.trim() === "" || stated < 0) return undefined;
  const byCodePoint = offsets === undefined ? stated : (offsets[stated] ?? context.length);
  return [byCodePoint, stated].find((start) => context.startsWith(text, start));
}

/** For each code point of a text its offset in UTF-16 units; undefined where both count the same. */
function codePointOffsets(text: string): number[] | undefined {
  if (!/[\ud800-\udbff]/.test(text)) return undefined;
  const offsets: number[] = [];
  let offset = 0;
  for (const character of text) {
    offsets.push(offset);
    offset += character.length;
  }
  return offsets;
}

/** What an entry of each list of the file is called. */
const ENTRY_NAMES = new Map<PropertyKey, string>([
  ["data", "article"],
  ["paragraphs", "paragraph"],
  ["qas", "question"],
  ["answers", "answer"],
]);

/** ["data", 3, "paragraphs", 0, "context"] -> "article 4, paragraph 1, context" */
function placeIn(path: readonly PropertyKey[]): string {
  const parts = path.map((key, depth) => {
    if (typeof key === "number") return `${ENTRY_NAMES.get(path[depth - 1])} ${key + 1}`;
    return typeof path[depth + 1] === "number" ? undefined : String(key);
  });
  return parts.filter((part) => part !== undefined).join(", ");
}

/** Throws FILE_EMPTY; FORMAT_UNKNOWN for what is another format; ROW_MALFORMED for what begins as JSON and is none. */
function jsonOf(text: string, source: string, form: string): unknown {
  if (text.trim() === "") throw emptyFile(source, "nothing");
  return parseJson(text, (fault, cause) => {
    const head = text.slice(0, HEAD_LENGTH);
    if (!/^\s*[{[]/.test(text)) {
      const other = looksLike(head) ?? looksLikeTable(head);
      throw unknownFormat(source, form, other?.name ?? `a table or prose, ${quote(head)}`, other?.task);
    }
    const firstLine = parseJson(text.split("\n", 1)[0], () => undefined);
    if (isFlat(firstLine)) throw flatFormat(source);
    if (firstLine !== undefined) {
      const other = looksLikeTable(head);
      throw unknownFormat(
        source,
        form,
        other === undefined ? "JSON Lines" : `${other.name}, as JSON Lines`,
        other?.task,
      );
    }
    if (fault !== ENDS_EARLY) throw malformedRow(source, form, fault, { cause });
    throw malformedRow(source, form, fault, { cause, cure: "Check that it was written or downloaded completely." });
  });
}

/** Characters by which a format is told. */
const HEAD_LENGTH = 4096;

/** What a file looks like whose JSON is `value`. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (!isObject(value)) return `only ${JSON.stringify(value).slice(0, 40)}`;
  if (Array.isArray(value.data)) return "a file of questions, as SQuAD has it";
  if ("context" in value && "question" in value) return "a single question, or a line of JSON Lines";
  const kinds = new Set(Object.values(value).map((entry) => typeof entry));
  if (kinds.size === 1 && kinds.has("string")) return "texts by id, as in a file of predictions";
  if (kinds.size === 1 && kinds.has("number")) return "numbers by id, as in a file of no-answer scores";
  const keys = Object.keys(value).map(quote);
  return keys.length === 0 ? "an empty object" : `an object with ${keys.slice(0, 5).join(", ")}`;
}

/** Whether a row has a context of its own and its answers by column, as Hugging Face's data set of SQuAD has them. */
function isFlat(row: unknown): boolean {
  return isObject(row) && "question" in row && "context" in row && isObject(row.answers) && "text" in row.answers;
}

function flatFormat(source: string): ClozeError {
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${source} has another format`,
    expected: FORM,
    received: "Hugging Face's form of SQuAD, a row with its context for each question",
    cure: `Write each row as {"paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text", "answer_start"}]}]}]}.`,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `task` reads such files. */
function unknownFormat(source: string, expected: string, received: string, task?: string): ClozeError {
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${source} has another format`,
    expected,
    received,
    cure: `${task === undefined ? "Name" : `Such files are for ${task}; name`} another file, or convert this one.`,
  });
}

function emptyFile(source: string, lacks: string, skipped: SquadData["skipped"] = []): ClozeError {
  const first = skipped[0] && `the first, ${JSON.stringify(skipped[0].id)}, for ${skipped[0].reason}`;
  return new ClozeError("FILE_EMPTY", {
    problem: `${source} holds ${lacks}`,
    ...(first && { received: `${skipped.length} that had to be skipped, ${first}` }),
    cure: "Check that it is the right file and was written completely.",
  });
}
