import { createHash } from "node:crypto";
import type { z } from "zod";
import { countOf } from "../../base/count-of.ts";
import { ClozeError } from "../../base/errors.ts";
import { mapValues } from "../../base/map-values.ts";
import { requireOption } from "../../optim/options.ts";
import type { Examples, Feature, Task, TaskContext } from "../definitions/task.ts";
import { type PreparedExample, prepareExamples } from "../definitions/task-model.ts";
import { parseOptions } from "../run/parse-options.ts";
import type { FileReport, FinetuneOptions } from "./finetune-options.node.ts";
import { countGroups, foldsOf } from "./folds.ts";

/** How the files of a task are read. */
export type Reader<I, G, R> = (path: string, options: R) => Promise<Examples<I, G>>;

export interface TrainingData<I, G, S> {
  readonly context: TaskContext<S>;
  readonly features: readonly Feature[];
  /** What is measured on: all of it, since what cannot be learnt can be answered nevertheless. */
  readonly dev: readonly PreparedExample<I, G>[] | undefined;
  /** What became of the training file, and of the dev file if there is one. */
  readonly files: readonly FileReport[];
}

/**
 * Reads what a task is to be learnt from, and prepares it for a model. Throws for files that cannot be read or hold nothing
 * to learn, and OPTION_INVALID for a fold that there is not, or a length without room.
 */
export async function readTrainingData<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  read: Reader<I, G, z.infer<R>>,
  options: FinetuneOptions,
  { tokenizer, maxLength }: Pick<TaskContext<unknown>, "tokenizer" | "maxLength">,
): Promise<TrainingData<I, G, z.infer<S>>> {
  const reading = parseOptions(task.reading, options);
  const { all, train, dev } = await readExamples(options, (path) => read(path, reading));
  const chosen = parseOptions(task.settings, options);
  const settings = task.settle?.(all, chosen) ?? chosen;
  const labels = task.labels?.(all, settings) ?? [];
  const context = { tokenizer, labels, maxLength, settings };
  const learnt = prepareTraining(task, train, context);
  requireRoom(learnt.features, maxLength);
  const measured = dev && prepareExamples(task, dev.examples, context);
  return {
    context,
    features: task.weigh?.(learnt.features, context) ?? learnt.features,
    dev: measured,
    files: [learnt.report, ...(dev && measured ? [reportOf(dev, measured)] : [])],
  };
}

/**
 * The examples to learn from and those to choose by; `all` are those of the training file, whose labels a fold has too. Throws
 * OPTION_INVALID for a fold that there is not.
 */
async function readExamples<I, G>(
  { train: path, dev, fold }: FinetuneOptions,
  read: (path: string) => Promise<Examples<I, G>>,
): Promise<{ all: Examples<I, G>; train: Examples<I, G>; dev: Examples<I, G> | undefined }> {
  const all = await read(path);
  if (fold === undefined) return { all, train: all, dev: dev === undefined ? undefined : await read(dev) };
  const { index, of } = fold;
  if (dev !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "a fold of the training file takes the place of a dev file",
      expected: "one of them",
      received: `both a fold and ${dev}`,
    });
  }
  const most = countGroups(all.examples);
  if (!Number.isInteger(of) || of < 2 || of > most) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the training file cannot be divided into folds",
      expected: `2 to ${most} of them, as many as there are examples that do not belong together`,
      received: String(of),
    });
  }
  if (!Number.isInteger(index) || index < 0 || index >= of) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `there is no such fold of ${of}`,
      expected: `an index from 0 to ${of - 1}`,
      received: String(index),
    });
  }
  const folds = foldsOf(all.examples, of);
  const part = (isHeld: boolean) => ({
    ...all,
    examples: all.examples.filter((_, i) => (folds[i] === index) === isHeld),
  });
  const heldBack = { ...part(true), file: `${path}, fold ${index + 1} of ${of}`, ...TOLD_BEFORE };
  return { all, train: part(false), dev: heldBack };
}

/** What reading left out of a file is told of once, not with each part of it. */
const TOLD_BEFORE = { skipped: {}, places: undefined, notes: undefined } as const;

/** What there is to learn from a file. Throws FILE_EMPTY where there is nothing. */
function prepareTraining<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  data: Examples<I, G>,
  context: TaskContext<z.infer<S>>,
): { readonly features: readonly Feature[]; readonly report: FileReport } {
  const prepared = prepareExamples(task, data.examples, context);
  const learnable = prepared.filter(({ features }) => features.length > 0);
  const others = prepared.filter(({ features }) => features.length === 0).map(({ example }) => example.place);
  const left = byReason(data, others);
  if (learnable.length === 0) {
    throw new ClozeError("FILE_EMPTY", {
      problem: `there is nothing to learn from ${data.file}`,
      expected: "an example whose answer can be found in it",
      received: Object.entries(left)
        .map(([reason, { length }]) => `${countOf(length, "example")} ${reason}`)
        .join(", "),
      cure: "Check the file, and whether --max-length leaves room for what is to be found.",
    });
  }
  const report = reportOf(leavingOut(data, left), learnable);
  return { features: learnable.flatMap(({ features }) => features), report };
}

const NOTHING_TO_LEARN = "without anything to learn";

/** The places of examples without anything to learn, by what the reader has noted of them, if anything. */
function byReason({ notes = {}, places = {} }: Examples<unknown, unknown>, others: readonly string[]) {
  const noteOf = new Map(Object.keys(notes).flatMap((note) => (places[note] ?? []).map((place) => [place, note])));
  const left: Record<string, string[]> = {};
  for (const place of others) {
    const reason = noteOf.get(place) ?? NOTHING_TO_LEARN;
    left[reason] ??= [];
    left[reason].push(place);
  }
  return left;
}

/** What is told of a file some of whose examples were left out too, each of which is counted once: no longer as a note. */
function leavingOut<I, G>(data: Examples<I, G>, left: Readonly<Record<string, readonly string[]>>): Examples<I, G> {
  const skipped = { ...data.skipped, ...mapValues(left, ({ length }) => length) };
  const notes = Object.entries(data.notes ?? {}).flatMap(([note, count]) => {
    const others = count - (left[note]?.length ?? 0);
    return others > 0 ? [[note, others] as const] : [];
  });
  return { ...data, skipped, places: { ...data.places, ...left }, notes: data.notes && Object.fromEntries(notes) };
}

function reportOf<I, G>(
  { file, skipped, places, notes }: Examples<I, G>,
  prepared: readonly PreparedExample<I, G>[],
): FileReport {
  const truncated = prepared.filter((example) => example.truncated).length;
  return { file, examples: prepared.length, skipped, places, notes, truncated };
}

/** Enough to look at; there may be thousands. */
const MOST_PLACES = 100;

export function withFewPlaces({ places = {}, ...report }: FileReport): FileReport {
  const few = Object.entries(places).map(([reason, places]) => [reason, places.slice(0, MOST_PLACES)] as const);
  return { ...report, places: Object.fromEntries(few) };
}

/** Of a pair of which only special tokens are left there is nothing to learn. Throws OPTION_INVALID. */
function requireRoom(features: readonly Feature[], maxLength: number): void {
  const inPairs = features.some(({ sequences }) => sequences.some(({ typeIds }) => typeIds.includes(1)));
  requireOption(
    !inPairs || maxLength >= 5,
    "maxLength",
    maxLength,
    "5 or more for pairs: a token of each and three special ones",
  );
}

/** A hash of all tokens and targets, and of right answers, by which a resumed training knows its data again. */
export function fingerprint(features: readonly Feature[], golds: readonly unknown[] = []): string {
  const hash = createHash("sha256");
  for (const { sequences, target } of features) {
    for (const { ids, typeIds } of sequences) hash.update(ids).update(typeIds);
    hash.update(target);
  }
  for (const gold of golds) hash.update(JSON.stringify(gold));
  return hash.digest("hex").slice(0, 16);
}
