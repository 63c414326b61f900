import { ClozeError } from "../base/errors.ts";
import { placeOf, readTable } from "../formats/table.node.ts";
import type { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { encodeText, type LabelledSequence, type TextInput } from "./text-classification.ts";

/** Which columns of a table hold what. */
export interface TextColumns {
  /** Default `text`. */
  readonly textColumn?: string;
  /** Column of the second text, where each row is a pair. */
  readonly pairColumn?: string;
  /** Default `label`. */
  readonly labelColumn?: string;
}

export interface ReadOptions extends TextColumns {
  /** What to do with a row whose text is empty. Default `skip`, which is counted. */
  readonly onEmpty?: "refuse" | "skip";
}

export interface LabelledText extends TextInput {
  readonly label: string;
  /** Where it stands, for messages: "train.tsv, line 7". */
  readonly place: string;
}

export interface LabelledTexts {
  readonly file: string;
  readonly examples: readonly LabelledText[];
  /** Rows left out because a text or the label was empty. */
  readonly skipped: number;
}

/**
 * Reads texts with labels from a table file. Throws the errors of `readTable`, TEXT_EMPTY where a row has no text or label
 * and `onEmpty` is `refuse`, or where no row has.
 */
export async function readLabelledTexts(path: string, options: ReadOptions = {}): Promise<LabelledTexts> {
  const { textColumn = "text", pairColumn, labelColumn = "label", onEmpty = "skip" } = options;
  const columns = pairColumn === undefined ? [textColumn, labelColumn] : [textColumn, labelColumn, pairColumn];
  const examples: LabelledText[] = [];
  let skipped = 0;
  for await (const row of readTable(path, { columns })) {
    const [text, label, pair] = row.values;
    const place = placeOf(path, row);
    const empty = columns.filter((_, i) => row.values[i].trim() === "");
    if (empty.length === 0) {
      examples.push({ text: text!, label: label!, place, pair });
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
  return { file: path, examples, skipped };
}

/** The labels that occur, numbers in their order, others by code unit. Throws LABELS_TOO_FEW: with one label there is nothing to learn. */
export function labelsOf({ examples, file }: LabelledTexts): string[] {
  const labels = [...new Set(examples.map(({ label }) => label))].sort();
  if (labels.every((label) => /^\d+$/.test(label))) labels.sort((a, b) => Number(a) - Number(b));
  if (labels.length > 1) return labels;
  throw new ClozeError("LABELS_TOO_FEW", {
    problem: `every row of ${file} has the same label`,
    expected: "two labels or more",
    received: JSON.stringify(labels[0]),
    cure: "Check --label-column.",
  });
}

/** The index of an example's label. Throws LABEL_UNKNOWN. */
function labelIndex({ label, place }: LabelledText, labels: readonly string[]): number {
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  throw new ClozeError("LABEL_UNKNOWN", {
    problem: `${place} has a label that the model does not know`,
    expected: labels.map((known) => JSON.stringify(known)).join(", "),
    received: JSON.stringify(label),
    cure: "Correct the label, or train with data in which it occurs.",
  });
}

/** Tokens and label indices of all examples, and how many of them are longer than `maxLength` and cut. */
export function encodeExamples(
  { examples }: LabelledTexts,
  tokenizer: BertTokenizer,
  labels: readonly string[],
  maxLength: number,
): { sequences: LabelledSequence[]; truncated: number } {
  let truncated = 0;
  const sequences = examples.map((example) => {
    const encoding = encodeText(tokenizer, example, maxLength);
    if (encoding.truncated) truncated++;
    return { ids: encoding.ids, typeIds: encoding.typeIds, label: labelIndex(example, labels), place: example.place };
  });
  return { sequences, truncated };
}
