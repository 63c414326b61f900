import { Command, Option } from "commander";
import { LINE_MODES, type LineMode } from "../corpus/sentences.ts";
import { MASK_UNITS, type MaskUnit } from "../data/masking.ts";
import { PAIRINGS, type Pairing } from "../data/sentence-pairs.ts";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import { evaluatePretraining } from "../tasks/evaluate-pretraining.node.ts";
import { purposeOf } from "../tasks/model-folder.node.ts";
import { TASKS as FINETUNED } from "../tasks/task-table.node.ts";
import type { TextReading } from "../tasks/text-reading.ts";
import { abortOnInterrupt } from "./exit.ts";
import { formatFigure, formatMetrics, formatTable } from "./metrics.ts";
import { choiceOption, positiveInteger, ratio, shared } from "./options.ts";
import { taskFor } from "./prediction-tasks.ts";
import { showProgress } from "./progress.ts";

interface Options extends TextReading, OnnxOptions {
  task?: keyof typeof TASKS;
  data: string;
  lines: LineMode;
  textColumn: string;
  locale: string;
  pairs?: Pairing;
  mask?: MaskUnit;
  maskRate?: number;
  maxLength?: number;
  json?: boolean;
}

const TASKS = { "text-classification": evaluateClassifier, pretraining: evaluateMasks } as const;
const TASK_NAMES = Object.keys(TASKS);

export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("measure a model: on labelled text, or a pre-trained one on plain text")
    .argument("<dir>", "model folder")
    .requiredOption(
      "--data <file>",
      "CSV, TSV, JSON Lines or Parquet, gzipped or not; for pretraining also plain text, a folder or a pattern",
    )
    .addOption(
      new Option("--task <name>", "what to measure (default: what the model was made for)").choices(TASK_NAMES),
    )
    .addOption(shared.textColumn())
    .addOption(shared.pairColumn())
    .addOption(shared.labelColumn())
    .addOption(shared.onEmpty())
    .addOption(choiceOption("--lines <what>", "pretraining: what a line is, as for prepare", LINE_MODES, "paragraph"))
    .option("--locale <tag>", "pretraining: language whose rules end a sentence", "en")
    .addOption(new Option("--pairs <what>", "pretraining: pairs to judge (default: as trained)").choices(PAIRINGS))
    .addOption(
      new Option("--mask <unit>", "pretraining: what is hidden as one (default: as trained)").choices(MASK_UNITS),
    )
    .addOption(
      new Option("--mask-rate <x>", "pretraining: share that is hidden (default: as trained)").argParser(ratio),
    )
    .addOption(
      new Option("--max-length <n>", "pretraining: tokens of a sequence at most (default: as trained)").argParser(
        positiveInteger,
      ),
    )
    .addOption(shared.device())
    .addOption(shared.threads())
    .addOption(shared.json())
    .addHelpText(
      "after",
      `
Examples:
  $ cloze evaluate model --data test.tsv --text-column sentence
  $ cloze evaluate model --task pretraining --data unseen.txt`,
    )
    .action(run);
}

async function run(folder: string, options: Options) {
  const own = taskFor(await purposeOf(folder)) === "fill-mask" ? "pretraining" : "text-classification";
  await TASKS[options.task ?? own](folder, options);
}

async function evaluateClassifier(folder: string, options: Options) {
  let progress: ReturnType<typeof showProgress> | undefined;
  const { metrics, labels, skipped, truncated } = await FINETUNED["text-classification"]
    .evaluate(folder, options.data, {
      ...options,
      signal: abortOnInterrupt(),
      onProgress: ({ done, total }) => {
        progress ??= showProgress("evaluating", total);
        progress.update(done, "sequences");
      },
    })
    .finally(() => progress?.stop());
  for (const [what, count] of Object.entries(skipped)) {
    if (count > 0) console.error(`${options.data}: ${count} ${what} skipped`);
  }
  if (truncated > 0) console.error(`${options.data}: ${truncated} texts longer than the maximum length, cut`);
  if (options.json) console.log(JSON.stringify({ labels, skipped, truncated, ...metrics }));
  else console.log(formatMetrics(metrics, labels));
}

async function evaluateMasks(folder: string, { data, lines, textColumn, locale, json, ...options }: Options) {
  let progress: ReturnType<typeof showProgress> | undefined;
  const { metrics } = await evaluatePretraining(folder, {
    ...options,
    data: [data],
    reading: { lines, textColumn, locale },
    signal: abortOnInterrupt(),
    onProgress: ({ done, total }) => {
      progress ??= showProgress("evaluating", total);
      progress.update(done, "sequences");
    },
  }).finally(() => progress?.stop());
  if (json) console.log(JSON.stringify(metrics));
  else console.log(formatTable(Object.entries(metrics).map(([name, value]) => [name, formatFigure(Number(value))])));
}
