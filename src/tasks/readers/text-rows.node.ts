import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { hasText } from "../../base/has-text.ts";
import { mapValues } from "../../base/map-values.ts";
import { quote } from "../../base/quote.ts";
import { type GlueSkip, readGlue } from "../../formats/glue.node.ts";
import { GLUE, type GlueFormat, type GlueTask, glueTaskOf } from "../../formats/glue.ts";
import { parseJson } from "../../formats/json.ts";
import { placeOf, readTable } from "../../formats/table.node.ts";
import { malformedRow } from "../../formats/table-row.ts";
import type { Example, Examples } from "../definitions/task.ts";
import type { TextInput } from "../run/text-or-pair.ts";

export interface TextRowOptions<Gold> {
  /** A file of GLUE, which has its own columns. */
  readonly format?: GlueFormat;
  /** What kind of GLUE tasks will do. Default: none. */
  readonly kind?: GlueTask["kind"];
  readonly textColumn?: string;
  readonly pairColumn?: string;
  /** The column of the right answer, if another than its usual one. */
  readonly goldColumn?: string;
  /** What the right answer is called: the usual name of its column, and with `-column` that of the option. */
  readonly gold: string;
  /** Whether the gold column may have lists, which come as JSON. */
  readonly lists?: boolean;
  /** Whether an empty cell is a right answer too. */
  readonly emptyGold?: boolean;
  readonly onEmpty?: "refuse" | "skip";
  /** Reads the cell of the right answer. */
  readonly parse: (cell: string, place: string) => Gold;
}

/**
 * Reads texts with their right answers from a table or a file of GLUE. Throws the errors of both; where `onEmpty` is
 * `refuse`, TEXT_EMPTY for a row without text or answer; TEXT_EMPTY where no row has them; OPTION_INVALID for a GLUE task of
 * another kind, and for columns beside a format that has its own.
 */
export async function readTextRows<Gold>(
  path: string,
  options: TextRowOptions<Gold>,
): Promise<Examples<TextInput, Gold>> {
  return options.format === undefined ? readRows(path, options) : readGlueRows(path, options.format, options);
}

async function readRows<Gold>(path: string, options: TextRowOptions<Gold>): Promise<Examples<TextInput, Gold>> {
  const { textColumn = "text", pairColumn, gold, goldColumn = gold, lists, emptyGold = false } = options;
  const { onEmpty = "skip", parse } = options;
  const columns = pairColumn === undefined ? [textColumn, goldColumn] : [textColumn, goldColumn, pairColumn];
  const twice = columns.find((column, i) => columns.indexOf(column) < i);
  if (twice !== undefined) {
    const problem = `the column "${twice}" cannot be two things at once`;
    throw new ClozeError("OPTION_INVALID", { problem, expected: "a column each for text, second text and answer" });
  }
  const examples: Example<TextInput, Gold>[] = [];
  const left: string[] = [];
  for await (const row of readTable(path, { columns, lists: lists ? [goldColumn] : [] })) {
    const [text, cell, pair] = row.values;
    const place = placeOf(path, row);
    const empty = columns.filter((column, i) => !hasText(row.values[i]) && !(emptyGold && column === goldColumn));
    if (empty.length === 0) {
      if (cell.includes("\0"))
        throw malformedRow(place, `text in "${goldColumn}"`, "NUL", { cure: "Take the NUL out." });
      examples.push({ input: { text, pair }, gold: parse(cell, place), place });
    } else if (onEmpty === "skip") {
      left.push(place);
    } else {
      throw emptyRow(`${place} has nothing in ${empty.map((name) => `"${name}"`).join(" and ")}`);
    }
  }
  return examplesOf(path, examples, { "without text or label": left });
}

async function readGlueRows<Gold>(
  path: string,
  format: GlueFormat,
  { kind, textColumn, pairColumn, gold, goldColumn, onEmpty = "skip", parse }: TextRowOptions<Gold>,
): Promise<Examples<TextInput, Gold>> {
  const name = glueTaskOf(format);
  const task = GLUE[name];
  if (task.kind !== kind) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `${format} is about ${task.kind}`,
      expected: kind === undefined ? "a table" : `a task of ${kind}`,
      cure: `Use the command for ${task.kind === "regression" ? "regression" : "text-classification"}.`,
    });
  }
  requireNoColumns(format, {
    "--text-column": textColumn,
    "--pair-column": pairColumn,
    [`--${gold}-column`]: goldColumn,
  });
  const examples: Example<TextInput, Gold>[] = [];
  const left: Record<string, string[]> = {};
  for await (const row of readGlue(name, path)) {
    if ("skipped" in row) {
      if (onEmpty === "refuse") throw unusableRow(row);
      const reason = UNUSABLE[row.skipped];
      left[reason] ??= [];
      left[reason].push(row.place);
    } else {
      const { text, pair, label, place } = row;
      examples.push({ input: { text, pair }, gold: parse(label, place), place });
    }
  }
  const labels = task.kind === "classification" ? task.labels : undefined;
  return { ...examplesOf(path, examples, left), labels, metric: task.metrics[0] };
}

/** What a reader made of a file, with the places of what it left out, by reason. Throws TEXT_EMPTY where nothing remains. */
export function examplesOf<Input, Gold>(
  file: string,
  examples: readonly Example<Input, Gold>[],
  places: Readonly<Record<string, readonly string[]>>,
): Examples<Input, Gold> {
  const counts = Object.entries(places).map(([reason, { length }]) => [reason, length] as const);
  if (examples.length === 0) {
    throw new ClozeError("TEXT_EMPTY", {
      problem: `${file} has nothing to learn from or to measure by`,
      received: counts.flatMap(([reason, count]) => (count === 0 ? [] : `${count} ${reason}`)).join(", "),
    });
  }
  return { file, examples, skipped: Object.fromEntries(counts), places };
}

/** The same file with what is odd in it and was read all the same, by what that is. */
export function withNotes<Input, Gold>(
  told: Examples<Input, Gold>,
  odd: Readonly<Record<string, readonly { readonly place: string }[]>>,
): Examples<Input, Gold> {
  return {
    ...told,
    places: { ...told.places, ...mapValues(odd, (examples) => examples.map(({ place }) => place)) },
    notes: mapValues(odd, ({ length }) => length),
  };
}

const Texts = z.array(z.string());

/** The texts of a cell with a list of them, none of an empty cell. Throws ROW_MALFORMED. */
export function listOfTexts(cell: string, place: string, column: string): string[] {
  if (cell.trim() === "") return [];
  const texts = Texts.safeParse(parseJson(cell, () => undefined));
  if (texts.success) return texts.data;
  throw malformedRow(place, `a list of texts in "${column}"`, quote(cell));
}

/** The error for a row that lacks something and was not to be left out. */
export function emptyRow(problem: string): ClozeError {
  return new ClozeError("TEXT_EMPTY", { problem, cure: "Fill it, delete it, or use --on-empty skip." });
}

/** What is said of GLUE's rows that cannot be used, after their number. */
export const UNUSABLE: { readonly [Reason in GlueSkip["skipped"]]: string } = {
  malformed: "with a wrong number of fields",
  empty: "without text",
  unlabelled: "without label",
};

/** The error for a row that was not to be left out. */
export function unusableRow({ skipped, place }: GlueSkip): ClozeError {
  if (skipped === "malformed") return malformedRow(place, "as many fields as the task has", "more or fewer");
  return emptyRow(`${place} is ${UNUSABLE[skipped]}`);
}

/** Throws OPTION_INVALID where a column was named, by option, beside a format that has its own. */
export function requireNoColumns(format: GlueFormat, columns: Readonly<Record<string, string | undefined>>): void {
  const [option] = Object.keys(columns).filter((name) => columns[name] !== undefined);
  if (option === undefined) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `${option} has no meaning beside --format ${format}, whose columns are known`,
    cure: `Leave out ${option}, or --format to read the file as a table.`,
  });
}
