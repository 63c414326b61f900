import { ClozeError } from "../../base/errors.ts";
import { readGlue } from "../../formats/glue.node.ts";
import { GLUE, type GlueTask, type GlueTaskName } from "../../formats/glue.ts";
import { placeOf, readTable } from "../../formats/table.node.ts";
import type { Example, Examples } from "../definitions/task.ts";
import type { TextInput } from "../run/text-or-pair.ts";

export interface TextRowOptions<Gold> {
  /** A file of GLUE; columns are then not looked at. */
  readonly format?: `glue:${GlueTaskName}`;
  /** What kind of GLUE tasks will do. */
  readonly kind: GlueTask["kind"];
  readonly textColumn?: string;
  readonly pairColumn?: string;
  readonly goldColumn: string;
  /** Whether the gold column may have lists, which come as JSON. */
  readonly lists?: boolean;
  /** Whether an empty cell is a right answer too. */
  readonly emptyGold?: boolean;
  readonly onEmpty?: "refuse" | "skip";
  /** Reads the cell of the right answer. */
  readonly parse: (cell: string, place: string) => Gold;
}

const EMPTY = "rows without text or label";

/**
 * Reads texts with their right answers from a table or a file of GLUE. Throws the errors of both, TEXT_EMPTY where a row has no
 * text or answer and `onEmpty` is `refuse`, or where no row has, and OPTION_INVALID for a GLUE task of another kind.
 */
export async function readTextRows<Gold>(
  path: string,
  options: TextRowOptions<Gold>,
): Promise<Examples<TextInput, Gold>> {
  return options.format === undefined ? readRows(path, options) : readGlueRows(path, options.format, options);
}

async function readRows<Gold>(path: string, options: TextRowOptions<Gold>): Promise<Examples<TextInput, Gold>> {
  const { textColumn = "text", pairColumn, goldColumn, lists, emptyGold = false, onEmpty = "skip", parse } = options;
  const columns = pairColumn === undefined ? [textColumn, goldColumn] : [textColumn, goldColumn, pairColumn];
  const examples: Example<TextInput, Gold>[] = [];
  let skipped = 0;
  for await (const row of readTable(path, { columns, lists: lists ? [goldColumn] : [] })) {
    const [text, cell, pair] = row.values;
    const place = placeOf(path, row);
    const empty = columns.filter((column, i) => row.values[i].trim() === "" && !(emptyGold && column === goldColumn));
    if (empty.length === 0) {
      examples.push({ input: { text: text!, pair }, gold: parse(cell!, place), place });
    } else if (onEmpty === "skip") {
      skipped++;
    } else {
      throw new ClozeError("TEXT_EMPTY", {
        problem: `${place} has nothing in ${empty.map((name) => `"${name}"`).join(" and ")}`,
        cure: "Fill it, delete the row, or let such rows be skipped with --on-empty skip.",
      });
    }
  }
  if (examples.length === 0) {
    throw new ClozeError("TEXT_EMPTY", {
      problem: `${path} has no row with text and label`,
      received: `${skipped} empty rows`,
    });
  }
  return { file: path, examples, skipped: { [EMPTY]: skipped } };
}

async function readGlueRows<Gold>(
  path: string,
  format: `glue:${GlueTaskName}`,
  { kind, parse }: TextRowOptions<Gold>,
): Promise<Examples<TextInput, Gold>> {
  const name = glueTask(format);
  const task = GLUE[name];
  if (task.kind !== kind) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `${format} is about ${task.kind}`,
      expected: `a task of ${kind}`,
      cure: `Use the command for ${task.kind === "regression" ? "regression" : "text-classification"}.`,
    });
  }
  const examples: Example<TextInput, Gold>[] = [];
  const skipped: Record<string, number> = {};
  for await (const row of readGlue(name, path)) {
    if ("skipped" in row) {
      const reason = `${row.skipped} rows`;
      skipped[reason] = (skipped[reason] ?? 0) + 1;
    } else {
      const { text, pair, label, place } = row;
      examples.push({ input: { text, pair }, gold: parse(label, place), place });
    }
  }
  const labels = task.kind === "classification" ? task.labels : undefined;
  return { file: path, examples, skipped, labels, metric: task.metrics[0] };
}

function glueTask(format: `glue:${GlueTaskName}`): GlueTaskName {
  const names = Object.keys(GLUE) as GlueTaskName[];
  return names.find((name) => format === `glue:${name}`) ?? names[0];
}
