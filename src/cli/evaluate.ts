import { Command, Option } from "commander";
import { LINE_MODES, type LineMode } from "../corpus/sentences.ts";
import { MASK_UNITS, type MaskUnit } from "../data/masking.ts";
import { PAIRINGS, type Pairing } from "../data/sentence-pairs.ts";
import type { ExecutorOptions } from "../executors/executor.node.ts";
import { evaluatePretraining } from "../tasks/pretraining/evaluate-pretraining.node.ts";
import type { Control } from "../tasks/run/control.ts";
import { type PredictionFiles, scorePredictions } from "../tasks/score-predictions.node.ts";
import { TASK_NAMES, TASKS, type TaskName, taskOfFolder } from "../tasks/task-table.node.ts";
import { tellNotes } from "./data-notes.ts";
import { abortOnInterrupt } from "./exit.ts";
import { formatFigure, formatMetrics, formatTable } from "./metrics.ts";
import { anyNumber, choiceOption, numberOption, positiveInteger, ratio, shared } from "./options.ts";
import { type Progress, showProgress } from "./progress.ts";
import { mergeOptions, schemaOptions } from "./schema-options.ts";

interface Options extends ExecutorOptions {
  task?: TaskName | typeof PRETRAINING;
  data: string;
  json?: boolean;
}

interface PredictionOptions extends PredictionFiles {
  json?: boolean;
}

interface PretrainingOptions extends Options {
  lines?: LineMode;
  textColumn?: string;
  locale?: string;
  pairs?: Pairing;
  mask?: MaskUnit;
  maskRate?: number;
  maxLength?: number;
}

const PRETRAINING = "pretraining";

/** What the options of a file of predictions are listed under: it needs no model. */
const PREDICTIONS = "--predictions";

/** Options of predictions that some system made for a SQuAD file. */
const predictionOptions = () => [
  new Option(
    "--predictions <file>",
    "score these answers to the questions of a SQuAD file, {id: text}, without a model",
  ),
  new Option("--null-scores <file>", "how sure their system is that there is no answer, {id: number}"),
  numberOption("--null-threshold <x>", "the null score above which an answer counts as none (default: 1)", anyNumber),
];

/** Options of pre-trained models. */
const pretrainingOptions = () => [
  choiceOption("--lines <what>", "what a line is, as for prepare (default: paragraph)", LINE_MODES),
  new Option("--locale <tag>", "language whose rules end a sentence (default: en)"),
  new Option("--text-column <name>", 'column of the text (default: "text")'),
  new Option("--pairs <what>", "pairs to judge (default: as trained)").choices(PAIRINGS),
  new Option("--mask <unit>", "what is hidden as one (default: as trained)").choices(MASK_UNITS),
  new Option("--mask-rate <x>", "share that is hidden (default: as trained)").argParser(ratio),
  new Option("--max-length <n>", "tokens of a sequence at most (default: as trained)").argParser(positiveInteger),
];

export function evaluateCommand(): Command {
  const options = mergeOptions({
    ...Object.fromEntries(TASK_NAMES.map((name) => [name, ownOptions(name)])),
    [PRETRAINING]: pretrainingOptions(),
    [PREDICTIONS]: predictionOptions(),
  });
  const command: Command = new Command("evaluate")
    .description("measure a model: on labelled examples, or a pre-trained one on plain text; or score predictions")
    .argument("[dir]", "model folder; none with --predictions")
    .requiredOption("--data <file>", "examples as for finetune; for pretraining also plain text, a folder or a pattern")
    .addOption(
      new Option("--task <name>", "what to measure (default: what the model was made for)").choices([
        ...TASK_NAMES,
        PRETRAINING,
      ]),
    );
  for (const option of options.all) command.addOption(option);
  return command
    .addOption(shared.device())
    .addOption(shared.precision("inference"))
    .addOption(shared.threads())
    .addOption(shared.json())
    .addHelpText(
      "after",
      `
Examples:
  $ cloze evaluate model --data test.tsv --text-column sentence
  $ cloze evaluate model --task pretraining --data unseen.txt
  $ cloze evaluate --predictions predictions.json --data dev-v2.0.json`,
    )
    .action(async (folder: string | undefined, given: Options & Partial<PredictionOptions>) => {
      const { predictions } = given;
      if (predictions !== undefined) {
        if (folder !== undefined || given.task !== undefined) {
          command.error("error: --predictions are scored without a model folder and --task");
        }
        options.requireOwn(PREDICTIONS, given, "evaluate --predictions");
        return evaluatePredictions({ ...given, predictions });
      }
      if (folder === undefined) command.error("error: missing required argument 'dir', or --predictions");
      const task = given.task ?? (await taskOfFolder(folder)) ?? PRETRAINING;
      options.requireOwn(task, given);
      if (task === PRETRAINING) await evaluateMasks(folder, given);
      else await evaluateTask(task, folder, given);
    });
}

function ownOptions(name: TaskName): Option[] {
  const { reading, settings } = TASKS[name];
  return [...schemaOptions(reading, "evaluation"), ...schemaOptions(settings, "evaluation", "the model's")];
}

async function evaluateTask(task: TaskName, folder: string, options: Options) {
  const { metrics, labels, ...found } = await underControl((control) =>
    TASKS[task].evaluate(folder, options.data, { ...options, ...control }),
  );
  tellNotes(options.data, found);
  const { skipped, places, notes, truncated } = found;
  if (options.json) console.log(JSON.stringify({ labels, skipped, places, notes, truncated, ...metrics }));
  else console.log(formatMetrics(metrics, labels));
}

/** Measures something that an interrupt stops and whose progress is shown. */
async function underControl<T>(measure: (control: Control) => Promise<T>): Promise<T> {
  let progress: Progress | undefined;
  const onProgress: Control["onProgress"] = ({ done, total }) => {
    progress ??= showProgress("evaluating", total);
    progress.update(done, "sequences");
  };
  return measure({ signal: abortOnInterrupt(), onProgress }).finally(() => progress?.stop());
}

async function evaluatePredictions({ json, predictions, data, nullScores, nullThreshold }: PredictionOptions) {
  const { metrics, ...found } = await scorePredictions({ predictions, data, nullScores, nullThreshold });
  tellNotes(data, found);
  const { skipped, places, notes } = found;
  if (json) console.log(JSON.stringify({ skipped, places, notes, ...metrics }));
  else console.log(formatMetrics(metrics, []));
}

async function evaluateMasks(folder: string, options: PretrainingOptions) {
  const { task: _, data, lines, textColumn, locale, json, ...choices } = options;
  const reading = { lines, textColumn, locale };
  const { metrics } = await underControl((control) =>
    evaluatePretraining(folder, { ...choices, data: [data], reading, ...control }),
  );
  if (json) console.log(JSON.stringify(metrics));
  else
    console.log(formatTable(Object.entries(metrics).map(([name, value]) => [name, formatFigure(name, Number(value))])));
}
