import { ClozeError } from "../base/errors.ts";
import { tsvFields } from "./delimited.node.ts";
import { GLUE, type GlueLayout, type GlueTaskName, glueLayout, isGlueLabel, wrongLabel } from "./glue.ts";
import { placeOf } from "./table-row.ts";
import { openText } from "./text.node.ts";

/** One example of GLUE. */
export interface GlueExample {
  readonly text: string;
  /** The second text, where the task is about pairs. */
  readonly pair?: string;
  /** The label as the file writes it; for STS-B the score, in digits. */
  readonly label: string;
  /** Where it stands, for messages: "train.tsv, line 7". */
  readonly place: string;
}

/** A row that is left out. */
export interface GlueSkip {
  /**
   * Why: `malformed`, the wrong number of fields, as a few rows of QQP have; `empty`, a text without content;
   * `unlabelled`, no label, or `-`, which in MNLI and SNLI says that the annotators did not agree on one.
   */
  readonly skipped: "malformed" | "empty" | "unlabelled";
  readonly place: string;
}

/** What MNLI and SNLI have in the place of a label that most annotators chose. */
const NO_AGREEMENT = "-";

/**
 * Reads a file of a GLUE task, gzip or not, row by row: its examples, and what it leaves out. Whether the file begins with
 * a line of names, and where its columns are, the first line decides.
 *
 * @throws ClozeError FILE_EMPTY where there is no example; COLUMN_MISSING for a test file, which has no labels;
 *   ROW_MALFORMED for a file of another task and for a label that the task does not have; the errors of `readLines`
 */
export async function* readGlue(name: GlueTaskName, path: string): AsyncGenerator<GlueExample | GlueSkip> {
  let layout: GlueLayout | undefined;
  let [rows, examples] = [0, 0];
  for await (const { line, fields } of tsvFields(path, openText(path))) {
    if (layout === undefined) {
      layout = glueLayout(name, path, fields);
      if (layout.width !== undefined) continue;
    }
    rows++;
    const row = readRow(name, layout, fields, placeOf(path, { row: rows, line }));
    if ("text" in row) examples++;
    yield row;
  }
  if (examples > 0) return;
  throw new ClozeError("FILE_EMPTY", {
    problem: `${path} has no row with text and label`,
    received: `${rows} rows that cannot be used`,
    cure: "Check that it was written completely.",
  });
}

function readRow(name: GlueTaskName, layout: GlueLayout, fields: string[], place: string): GlueExample | GlueSkip {
  const { columns, width } = layout;
  const whole = width === undefined ? columns.every((index) => index < fields.length) : fields.length === width;
  if (!whole) return { skipped: "malformed", place };
  const [text, label, pair] = columns.map((index) => fields[index]);
  if (text.trim() === "" || pair?.trim() === "") return { skipped: "empty", place };
  if (label === "" || label === NO_AGREEMENT) return { skipped: "unlabelled", place };
  if (!isGlueLabel(GLUE[name], label)) throw wrongLabel(name, place, label);
  return pair === undefined ? { text, label, place } : { text, pair, label, place };
}
