import { countOf } from "../base/count-of.ts";
import { ClozeError } from "../base/errors.ts";
import { hasText } from "../base/has-text.ts";
import { isBlank, tsvFields } from "./delimited.node.ts";
import {
  GLUE,
  type GlueTaskName,
  type GlueTextLayout,
  glueLayout,
  glueTextLayout,
  isGlueLabel,
  wrongLabel,
} from "./glue.ts";
import { placeOf } from "./table-row.ts";
import { openText } from "./text.node.ts";

/** The texts of a row. */
export interface GlueTexts {
  readonly text: string;
  /** The second text, where the task is about pairs. */
  readonly pair?: string;
  /** Where they stand, for messages: "train.tsv, line 7". */
  readonly place: string;
}

/** One example of GLUE. */
export interface GlueExample extends GlueTexts {
  /** The label as the file writes it; for STS-B the score, in digits. */
  readonly label: string;
}

/** A row that cannot be used. */
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
export function readGlue(name: GlueTaskName, path: string): AsyncGenerator<GlueExample | GlueSkip> {
  return rowsOf(
    path,
    (first) => glueLayout(name, path, first),
    (texts, fields, { label: index }): GlueExample | GlueSkip => {
      const label = fields[index];
      if (label === "" || label === NO_AGREEMENT) return { skipped: "unlabelled", place: texts.place };
      if (!isGlueLabel(GLUE[name], label)) throw wrongLabel(name, texts.place, label);
      return { ...texts, label };
    },
  );
}

/**
 * Reads the texts of a file of a GLUE task, which may be a test file, without labels.
 *
 * @throws ClozeError FILE_EMPTY where there is no text; ROW_MALFORMED for a file of another task; the errors of `readLines`
 */
export function readGlueTexts(name: GlueTaskName, path: string): AsyncGenerator<GlueTexts | GlueSkip> {
  return rowsOf(
    path,
    (first) => glueTextLayout(name, path, first),
    (texts) => texts,
  );
}

/** What `finish` makes of the texts of each row that has them, and the other rows. */
async function* rowsOf<Layout extends GlueTextLayout, Row extends GlueTexts>(
  path: string,
  layoutFor: (first: readonly string[]) => Layout,
  finish: (texts: GlueTexts, fields: readonly string[], layout: Layout) => Row | GlueSkip,
): AsyncGenerator<Row | GlueSkip> {
  let layout: Layout | undefined;
  let [rows, used] = [0, 0];
  for await (const { line, fields } of tsvFields(path, openText(path))) {
    if (isBlank(fields)) continue;
    if (layout === undefined) {
      layout = layoutFor(fields);
      if (layout.width !== undefined) continue;
    }
    const texts = textsOf(fields, layout, placeOf(path, { row: ++rows, line }));
    const row = "skipped" in texts ? texts : finish(texts, fields, layout);
    if (!("skipped" in row)) used++;
    yield row;
  }
  if (used > 0) return;
  throw new ClozeError("FILE_EMPTY", {
    problem: `${path} has no row that can be used`,
    received: countOf(rows, "row"),
    cure: "Check that it was written completely.",
  });
}

function textsOf(fields: readonly string[], layout: GlueTextLayout, place: string): GlueTexts | GlueSkip {
  const { width, text: first, pair: second } = layout;
  const last = second ?? first; // where there are no names, texts come after the label
  if (width === undefined ? fields.length <= last : fields.length !== width) return { skipped: "malformed", place };
  const text = fields[first];
  const pair = second === undefined ? undefined : fields[second];
  if (![text, pair ?? text].every(hasText)) return { skipped: "empty", place };
  return pair === undefined ? { text, place } : { text, pair, place };
}
