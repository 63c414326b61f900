import { ClozeError } from "../base/errors.ts";

export const GLUE_TASK_NAMES = ["cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli"] as const;

export type GlueTaskName = (typeof GLUE_TASK_NAMES)[number];

/** Which columns hold an example. */
export interface GlueColumns<Column> {
  readonly text: Column;
  /** The second text, where each row is a pair. */
  readonly pair?: Column;
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
  /** What GLUE reports for the task. `f1` is that of the label `1`. */
  readonly metrics: readonly GlueMetric[];
  /** The files to measure on; each task's `train.tsv` is there to learn from. */
  readonly dev: readonly string[];
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

const DEV = ["dev.tsv"];
const BINARY = { kind: "classification", labels: ["0", "1"] } as const;
const ENTAILMENT = { kind: "classification", labels: ["entailment", "not_entailment"] } as const;
const SENTENCES = { text: "sentence1", pair: "sentence2" } as const;

/**
 * The tasks of GLUE (Wang et al. 2019), as the files of https://gluebenchmark.com/tasks have them: UTF-8, fields separated
 * by tabs, quotes literal. STS-B is also known in its authors' form, without a line of names.
 */
export const GLUE: { readonly [N in GlueTaskName]: GlueTask } = {
  cola: { title: "CoLA", bare: { label: 1, text: 3 }, ...BINARY, metrics: ["mcc"], dev: DEV },
  sst2: { title: "SST-2", header: { text: "sentence", label: "label" }, ...BINARY, metrics: ["accuracy"], dev: DEV },
  mrpc: {
    title: "MRPC",
    header: { text: "#1 String", pair: "#2 String", label: "Quality" },
    ...BINARY,
    metrics: ["accuracy", "f1"],
    dev: DEV,
  },
  stsb: {
    title: "STS-B",
    header: { ...SENTENCES, label: "score" },
    bare: { label: 4, text: 5, pair: 6 },
    kind: "regression",
    range: [0, 5],
    metrics: ["pearson", "spearman"],
    dev: DEV,
  },
  qqp: {
    title: "QQP",
    header: { text: "question1", pair: "question2", label: "is_duplicate" },
    ...BINARY,
    metrics: ["accuracy", "f1"],
    dev: DEV,
  },
  mnli: {
    title: "MNLI",
    header: { ...SENTENCES, label: "gold_label" },
    kind: "classification",
    labels: ["entailment", "neutral", "contradiction"],
    metrics: ["accuracy"],
    dev: ["dev_matched.tsv", "dev_mismatched.tsv"],
  },
  qnli: {
    title: "QNLI",
    header: { text: "question", pair: "sentence", label: "label" },
    ...ENTAILMENT,
    metrics: ["accuracy"],
    dev: DEV,
  },
  rte: { title: "RTE", header: { ...SENTENCES, label: "label" }, ...ENTAILMENT, metrics: ["accuracy"], dev: DEV },
  wnli: { title: "WNLI", header: { ...SENTENCES, label: "label" }, ...BINARY, metrics: ["accuracy"], dev: DEV },
};

/** Where the rows of one file have an example. */
export interface GlueLayout {
  /** The indices of the text, the label and, where each row is a pair, the second text. */
  readonly columns: readonly number[];
  /** How many fields the line of names has, and so every row; undefined for a file that begins with a row. */
  readonly width: number | undefined;
}

/**
 * Where a file of a task has its columns, by its first line.
 *
 * @param path names the file in errors
 * @throws ClozeError COLUMN_MISSING for a test file, which has no labels; ROW_MALFORMED for a file of another task or none
 */
export function glueLayout(name: GlueTaskName, path: string, first: readonly string[]): GlueLayout {
  const layout = layoutOf(GLUE[name], first);
  const likely = likelyTasks(first);
  if (layout !== undefined && likely.includes(name)) return layout;
  throw likely.length === 0 && isTest(first) ? unlabelled(path) : wrongFile(name, path, first);
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
    expected: task.kind === "classification" ? quoted(task.labels) : `a number from ${task.range.join(" to ")}`,
    received: JSON.stringify(label),
    cure: like.length > 0 ? `It looks like ${titles(like)}: name that task.` : "Correct the row or take it out.",
  });
}

/** The layout of a file with such a first line as a task's; undefined where it is none. */
function layoutOf(task: GlueTask, first: readonly string[]): GlueLayout | undefined {
  const { header, bare } = task;
  const named = header === undefined ? [] : listed(header).map((column) => first.indexOf(column));
  if (header !== undefined && !named.includes(-1)) return { columns: named, width: first.length };
  if (bare === undefined || listed(bare).some((index) => index >= first.length)) return undefined;
  return isGlueLabel(task, first[bare.label]) ? { columns: listed(bare), width: undefined } : undefined;
}

/** The tasks to which a file with such a first line may belong: those of which it has most columns. QNLI has those of SST-2. */
function likelyTasks(first: readonly string[]): GlueTaskName[] {
  const columnCount = (name: GlueTaskName) => layoutOf(GLUE[name], first)?.columns.length ?? 0;
  const most = Math.max(...GLUE_TASK_NAMES.map(columnCount));
  return most === 0 ? [] : GLUE_TASK_NAMES.filter((name) => columnCount(name) === most);
}

/** Whether a first line names the texts of any task. */
function isTest(first: readonly string[]): boolean {
  return Object.values(GLUE).some(
    ({ header }) =>
      header !== undefined && [header.text, header.pair ?? header.text].every((column) => first.includes(column)),
  );
}

function sameColumns(a: GlueTask, b: GlueTask): boolean {
  return (
    a.header !== undefined && b.header !== undefined && listed(a.header).join("\t") === listed(b.header).join("\t")
  );
}

function listed<Column>({ text, label, pair }: GlueColumns<Column>): Column[] {
  return pair === undefined ? [text, label] : [text, label, pair];
}

function unlabelled(path: string): ClozeError {
  return new ClozeError("COLUMN_MISSING", {
    problem: `${path} has no labels, as GLUE's test files have none`,
    expected: "a file to train or to measure on",
    cure: "Give train.tsv, or measure on dev.tsv.",
  });
}

function wrongFile(name: GlueTaskName, path: string, first: readonly string[]): ClozeError {
  const { title, header, bare } = GLUE[name];
  const forms = [
    ...(header === undefined ? [] : [`the columns ${quoted(listed(header))}`]),
    ...(bare === undefined ? [] : [`rows without names above them, whose label is field ${bare.label + 1}`]),
  ];
  const like = likelyTasks(first);
  return new ClozeError("ROW_MALFORMED", {
    problem: `${path} does not begin as a file of ${title} does`,
    expected: forms.join(", or "),
    received: quoted(first.map((field) => (field.length > 30 ? `${field.slice(0, 30)}…` : field))),
    cure: like.length > 0 ? `It looks like ${titles(like)}: name that task.` : "Give the file as GLUE has it.",
  });
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(text)).join(", ");
}

function titles(names: readonly GlueTaskName[]): string {
  return names.map((name) => GLUE[name].title).join(" or ");
}
