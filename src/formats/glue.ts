import { ClozeError } from "../base/errors.ts";
import { quote, quoteSome } from "../base/quote.ts";

export const GLUE_TASK_NAMES = ["cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli"] as const;

export type GlueTaskName = (typeof GLUE_TASK_NAMES)[number];

/** What files of a task are called as a format. */
export type GlueFormat = `glue:${GlueTaskName}`;

/** The formats of all tasks. */
export const GLUE_FORMATS: readonly GlueFormat[] = GLUE_TASK_NAMES.map((name) => `glue:${name}` as const);

/** Which columns hold the texts of a row. */
interface TextColumns<Column> {
  readonly text: Column;
  /** The second text, where each row is a pair. */
  readonly pair?: Column;
}

/** Which columns hold an example. */
export interface GlueColumns<Column> extends TextColumns<Column> {
  readonly label: Column;
}

/** The names that metrics of single-label classification and of regression go by in this library. */
export type GlueMetric = "accuracy" | "f1" | "mcc" | "pearson" | "spearman";

interface GlueForm {
  /** As papers write it. */
  readonly title: string;
  /** The columns by name, for files that begin with a line of names. */
  readonly header?: GlueColumns<string>;
  /** The columns by index, for files that begin with a row. Rows may have further fields. */
  readonly bare?: GlueColumns<number>;
  /** The columns by name of the files to predict for, if other than those of `header`. */
  readonly unlabelled?: TextColumns<string>;
  /** What GLUE reports for the task. `f1` is that of the label `1`. */
  readonly metrics: readonly GlueMetric[];
}

export type GlueTask = GlueForm &
  (
    | {
        readonly kind: "classification";
        /** The labels as the files write them, in the order of their ids in Hugging Face's copy of GLUE. */
        readonly labels: readonly string[];
      }
    | {
        readonly kind: "regression";
        /** The least and the greatest score. */
        readonly range: readonly [low: number, high: number];
      }
  );

const BINARY = { kind: "classification", labels: ["0", "1"] } as const;
const ENTAILMENT = { kind: "classification", labels: ["entailment", "not_entailment"] } as const;
const SENTENCES = { text: "sentence1", pair: "sentence2" } as const;

/**
 * The tasks of GLUE (Wang et al. 2019), as the files of https://gluebenchmark.com/tasks have them: UTF-8, fields separated
 * by tabs, quotes literal. STS-B is also known in its authors' form, without a line of names.
 */
export const GLUE: { readonly [N in GlueTaskName]: GlueTask } = {
  cola: {
    title: "CoLA",
    bare: { label: 1, text: 3 },
    unlabelled: { text: "sentence" },
    ...BINARY,
    metrics: ["mcc"],
  },
  sst2: { title: "SST-2", header: { text: "sentence", label: "label" }, ...BINARY, metrics: ["accuracy"] },
  mrpc: {
    title: "MRPC",
    header: { text: "#1 String", pair: "#2 String", label: "Quality" },
    ...BINARY,
    metrics: ["accuracy", "f1"],
  },
  stsb: {
    title: "STS-B",
    header: { ...SENTENCES, label: "score" },
    bare: { label: 4, text: 5, pair: 6 },
    kind: "regression",
    range: [0, 5],
    metrics: ["pearson", "spearman"],
  },
  qqp: {
    title: "QQP",
    header: { text: "question1", pair: "question2", label: "is_duplicate" },
    ...BINARY,
    metrics: ["accuracy", "f1"],
  },
  mnli: {
    title: "MNLI",
    header: { ...SENTENCES, label: "gold_label" },
    kind: "classification",
    labels: ["entailment", "neutral", "contradiction"],
    metrics: ["accuracy"],
  },
  qnli: {
    title: "QNLI",
    header: { text: "question", pair: "sentence", label: "label" },
    ...ENTAILMENT,
    metrics: ["accuracy"],
  },
  rte: { title: "RTE", header: { ...SENTENCES, label: "label" }, ...ENTAILMENT, metrics: ["accuracy"] },
  wnli: { title: "WNLI", header: { ...SENTENCES, label: "label" }, ...BINARY, metrics: ["accuracy"] },
};

/** The task whose files have a format. Throws OPTION_INVALID. */
export function glueTaskOf(format: string): GlueTaskName {
  const name = GLUE_TASK_NAMES.find((task) => format === `glue:${task}`);
  if (name !== undefined) return name;
  throw new ClozeError("OPTION_INVALID", {
    problem: "the option format has a value that it cannot take",
    expected: GLUE_FORMATS.join(", "),
    received: format,
  });
}

/** Where the rows of one file have their texts, by index. */
export interface GlueTextLayout extends TextColumns<number> {
  /** How many fields the line of names has, and so every row; undefined for a file that begins with a row. */
  readonly width: number | undefined;
}

/** Where the rows of one file have an example, by index. */
export interface GlueLayout extends GlueTextLayout {
  readonly label: number;
}

/**
 * Where a file of a task has its columns, by its first line.
 *
 * @param path names the file in errors
 * @throws ClozeError COLUMN_MISSING for a test file, which has no labels; ROW_MALFORMED for a file of another task or none
 */
export function glueLayout(name: GlueTaskName, path: string, first: readonly string[]): GlueLayout {
  const layout = layoutOf(GLUE[name], first);
  const likely = likelyTasks(first, layoutOf);
  if (layout !== undefined && likely.includes(name)) return layout;
  const isUnlabelled = likely.length === 0 && likelyTasks(first, textLayoutOf).length > 0;
  throw isUnlabelled ? unlabelled(name, path) : wrongFile(name, path, first, likely);
}

/**
 * Where a file of a task has its texts, by its first line, whether or not it has labels.
 *
 * @param path names the file in errors
 * @throws ClozeError ROW_MALFORMED for a file of another task or none
 */
export function glueTextLayout(name: GlueTaskName, path: string, first: readonly string[]): GlueTextLayout {
  const layout = textLayoutOf(GLUE[name], first);
  const likely = likelyTasks(first, textLayoutOf);
  if (layout !== undefined && likely.includes(name)) return layout;
  throw wrongFile(name, path, first, likely);
}

/** Whether a task has such a label, or score. */
export function isGlueLabel(task: GlueTask, label: string): boolean {
  if (task.kind === "classification") return task.labels.includes(label);
  const [low, high] = task.range;
  return label.trim() !== "" && Number(label) >= low && Number(label) <= high;
}

/**
 * A label that a task does not have.
 *
 * @param place names the row: "dev.tsv, line 2"
 */
export function wrongLabel(name: GlueTaskName, place: string, label: string): ClozeError {
  const task = GLUE[name];
  const like = GLUE_TASK_NAMES.filter((other) => sameColumns(GLUE[other], task) && isGlueLabel(GLUE[other], label));
  return new ClozeError("ROW_MALFORMED", {
    problem: `${place} has a label that ${task.title} does not have`,
    expected:
      task.kind === "classification" ? task.labels.map(quote).join(", ") : `a number from ${task.range.join(" to ")}`,
    received: quote(label),
    cure: like.length > 0 ? `It looks like ${titles(like)}: name that task.` : "Correct the row or take it out.",
  });
}

/** The layout of a file with such a first line as a task's; undefined where it is none. */
function layoutOf(task: GlueTask, first: readonly string[]): GlueLayout | undefined {
  const { header, bare } = task;
  if (header !== undefined && first.includes(header.label)) {
    const texts = namedTexts(header, first);
    if (texts !== undefined) return { ...texts, label: first.indexOf(header.label) };
  }
  if (bare === undefined || listed(bare).some((index) => index >= first.length)) return undefined;
  return isGlueLabel(task, first[bare.label]) ? { ...bare, width: undefined } : undefined;
}

/** The same of a file that may have no labels. */
function textLayoutOf(task: GlueTask, first: readonly string[]): GlueTextLayout | undefined {
  const { header, unlabelled = header } = task;
  return (unlabelled && namedTexts(unlabelled, first)) ?? layoutOf(task, first);
}

function namedTexts({ text, pair }: TextColumns<string>, names: readonly string[]): GlueTextLayout | undefined {
  if (!names.includes(text) || (pair !== undefined && !names.includes(pair))) return undefined;
  return { text: names.indexOf(text), pair: pair === undefined ? undefined : names.indexOf(pair), width: names.length };
}

/** The tasks to which a file with such a first line may belong: those of which it has most columns. QNLI has those of SST-2. */
function likelyTasks(
  first: readonly string[],
  layout: (task: GlueTask, first: readonly string[]) => GlueTextLayout | undefined,
): GlueTaskName[] {
  const textCount = (name: GlueTaskName) => {
    const found = layout(GLUE[name], first);
    return found === undefined ? 0 : found.pair === undefined ? 1 : 2;
  };
  const most = Math.max(...GLUE_TASK_NAMES.map(textCount));
  return most === 0 ? [] : GLUE_TASK_NAMES.filter((name) => textCount(name) === most);
}

function sameColumns(a: GlueTask, b: GlueTask): boolean {
  return (
    a.header !== undefined && b.header !== undefined && listed(a.header).join("\t") === listed(b.header).join("\t")
  );
}

function listed<Column>({ text, label, pair }: GlueColumns<Column>): Column[] {
  return pair === undefined ? [text, label] : [text, label, pair];
}

function unlabelled(name: GlueTaskName, path: string): ClozeError {
  return new ClozeError("COLUMN_MISSING", {
    problem: `${path} has no labels, as GLUE's test files have none`,
    expected: "a file to train or to measure on",
    cure: `Give train.tsv, measure on dev.tsv, or predict for it: cloze predict --format glue:${name} --input.`,
  });
}

function wrongFile(
  name: GlueTaskName,
  path: string,
  first: readonly string[],
  like: readonly GlueTaskName[],
): ClozeError {
  const { title, header, bare } = GLUE[name];
  const forms = [
    ...(header === undefined ? [] : [`the columns ${listed(header).map(quote).join(", ")}`]),
    ...(bare === undefined ? [] : [`rows without names above them, whose label is field ${bare.label + 1}`]),
  ];
  return new ClozeError("ROW_MALFORMED", {
    problem: `${path} does not begin as a file of ${title} does`,
    expected: forms.join(", or "),
    received: quoteSome(first, 30),
    cure: like.length > 0 ? `It looks like ${titles(like)}: name that task.` : "Give the file as GLUE has it.",
  });
}

function titles(names: readonly GlueTaskName[]): string {
  return names.map((name) => GLUE[name].title).join(" or ");
}
