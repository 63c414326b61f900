import { Command, Option } from "commander";
import { SWEEP_DEFAULTS, type SweepOptions } from "../tasks/finetuning/sweep.node.ts";
import { bestModel, sweepCells } from "../tasks/finetuning/sweep-report.ts";
import { sweep, TASK_NAMES, TASKS, type TaskName } from "../tasks/task-table.node.ts";
import { abortOnInterrupt } from "./exit.ts";
import { formatTable } from "./metrics.ts";
import { commaSeparated, nonNegativeInteger, numberOption, positiveInteger, positiveNumber } from "./options.ts";
import { addTrainingOptions } from "./training-options.ts";
import { TrainingPrinter } from "./training-printer.ts";

export function sweepCommand(): Command {
  const command = new Command("sweep").description("fine-tune with every recipe of a grid, and rank them");
  for (const name of TASK_NAMES) command.addCommand(taskCommand(name));
  return command.addHelpText("after", EXAMPLES);
}

const EXAMPLES = `
Examples:
  the paper's grid on a dev file:
  $ cloze sweep text-classification --model path/to/bert-base-uncased --train train.tsv --dev dev.tsv --output sweep
  one recipe in 5-fold cross-validation:
  $ cloze sweep text-classification --train train.tsv --folds 5 --learning-rates 3e-4 --batch-sizes 16 --epochs 3 --output sweep

The ranking is printed, and written to sweep.md and sweep.json in the output folder. The same command again goes on where
it was stopped.`;

function taskCommand(name: TaskName): Command {
  const command = addTrainingOptions(new Command(name).description(TASKS[name].summary), name);
  const grid = [
    list(
      "--learning-rates <x,x>",
      "highest learning rates; the default is for base, small models want more, such as 3e-4",
      positiveNumber,
      SWEEP_DEFAULTS.learningRates,
    ),
    list("--batch-sizes <n,n>", "examples of one update", positiveInteger, SWEEP_DEFAULTS.batchSizes),
    list("--epochs <n,n>", "passes over the data", positiveInteger, SWEEP_DEFAULTS.epochCounts),
    list("--seeds <n,n>", "each recipe is trained once with each", nonNegativeInteger, SWEEP_DEFAULTS.seeds),
    numberOption(
      "--folds <n>",
      "cross-validation, in place of --dev: parts of the training file, each held back once",
      positiveInteger,
    ),
  ];
  for (const option of grid) command.addOption(option);
  return command.addHelpText("after", EXAMPLES).action((options: Options) => run(name, options));
}

function list(flags: string, text: string, parse: (text: string) => number, value: readonly number[]): Option {
  return new Option(flags, text).argParser((text) => commaSeparated(text).map(parse)).default(value, value.join(","));
}

interface Options extends Omit<SweepOptions, "epochCounts" | "onEvent" | "signal"> {
  readonly epochs: readonly number[];
  readonly json?: boolean;
}

async function run(task: TaskName, { json, epochs, ...options }: Options) {
  let printer = new TrainingPrinter();
  const rows = await sweep(task, {
    ...options,
    epochCounts: epochs,
    signal: abortOnInterrupt(),
    onEvent: (event) => {
      if (event.kind === "training") return printer.print(event.event);
      printer.stop();
      if (event.kind === "breakdown") return console.error(`broke down: ${event.error.message} [${event.error.code}]`);
      printer = new TrainingPrinter();
      console.error(`\ntraining ${event.index + 1} of ${event.total}: ${event.name}`);
    },
  }).finally(() => printer.stop());
  console.log(json ? JSON.stringify(rows) : `${formatTable(sweepCells(rows))}\n\n${bestModel(rows)}`);
}
