import { Command } from "commander";
import { PRESETS } from "../bert/config.ts";
import type { FinetuneEvent, FinetuneOptions } from "../tasks/finetune.node.ts";
import { TASK_NAMES, TASKS, type TaskName } from "../tasks/task-table.node.ts";
import { TRAINING_DEFAULTS } from "../train/train.ts";
import { abortOnInterrupt } from "./exit.ts";
import { formatMetrics } from "./metrics.ts";
import {
  nonNegativeInteger,
  nonNegativeNumber,
  numberOption,
  positiveInteger,
  positiveNumber,
  ratio,
  shared,
} from "./options.ts";
import { type Progress, showProgress } from "./progress.ts";
import { schemaOptions } from "./schema-options.ts";

export function finetuneCommand(): Command {
  const command = new Command("finetune").description("train a model for a task on labelled examples");
  for (const name of TASK_NAMES) command.addCommand(taskCommand(name));
  const examples = TASK_NAMES.map((name) => `  $ cloze finetune ${TASKS[name].example}\n`);
  return command.addHelpText("after", `\nExamples:\n${examples.join("")}`);
}

function taskCommand(name: TaskName): Command {
  const task = TASKS[name];
  const command = new Command(name)
    .description(task.summary)
    .option(
      "--model <name>",
      `a model folder; ${PRESETS.join(", ")} or a config.json for random weights (default: the English model that comes along)`,
    )
    .requiredOption("--train <file>", "examples to learn from; gzipped or not, as all files")
    .option("--dev <file>", "examples to choose the best epoch by")
    .requiredOption("--output <dir>", "folder for the model")
    .option("--vocab <path>", "vocabulary of a preset: a vocab.txt or a folder that has one");
  for (const option of [...schemaOptions(task.reading), ...schemaOptions(task.settings)]) command.addOption(option);
  return command
    .addOption(numberOption("--epochs <n>", "passes over the data", positiveInteger, TRAINING_DEFAULTS.epochs))
    .addOption(numberOption("--batch-size <n>", "examples of one update", positiveInteger, TRAINING_DEFAULTS.batchSize))
    .addOption(
      numberOption(
        "--accumulate <n>",
        "parts that a batch is run in, to save memory",
        positiveInteger,
        TRAINING_DEFAULTS.accumulate,
      ),
    )
    .addOption(
      numberOption("--learning-rate <x>", "the highest learning rate", positiveNumber, TRAINING_DEFAULTS.learningRate),
    )
    .addOption(
      numberOption(
        "--warmup-ratio <x>",
        "share of the updates over which it rises",
        ratio,
        TRAINING_DEFAULTS.warmupRatio,
      ),
    )
    .addOption(
      numberOption("--weight-decay <x>", "pull of weights towards 0", nonNegativeNumber, TRAINING_DEFAULTS.weightDecay),
    )
    .addOption(
      numberOption(
        "--layer-decay <x>",
        "learning rate of each layer as a multiple of that of the one above",
        ratio,
        TRAINING_DEFAULTS.layerDecay,
      ),
    )
    .addOption(
      numberOption(
        "--freeze-layers <n>",
        "leave the embeddings and so many of the lowest layers as they are",
        nonNegativeInteger,
      ),
    )
    .addOption(numberOption("--max-length <n>", "tokens of a sequence at most", positiveInteger, task.defaultMaxLength))
    .addOption(numberOption("--seed <n>", "equal seeds give equal models", nonNegativeInteger, TRAINING_DEFAULTS.seed))
    .addOption(numberOption("--patience <n>", "stop after this many epochs without a better one", positiveInteger))
    .addOption(
      numberOption("--checkpoint-every <n>", "updates between checkpoints (default: an epoch)", positiveInteger),
    )
    .addOption(shared.device())
    .addOption(shared.threads())
    .option("--resume", "continue an interrupted training, bit for bit; begin it where nothing was begun")
    .option("--overwrite", "replace what the output folder holds")
    .addOption(shared.json())
    .addHelpText(
      "after",
      `
Example:
  $ cloze finetune ${task.example}

Ctrl-C writes a checkpoint; so does --checkpoint-every, against kills. The same command with --resume then ends in the
same bytes as if nothing had happened.`,
    )
    .action((options: Options) => run(name, options));
}

type Options = Omit<FinetuneOptions, "onEvent" | "signal"> & { json?: boolean };

async function run(task: TaskName, { json, ...options }: Options) {
  const printer = new Printer();
  const result = await TASKS[task]
    .finetune({
      ...options,
      signal: abortOnInterrupt(),
      onEvent: (event) => printer.print(event),
    })
    .finally(() => printer.stop());
  if (json) {
    console.log(JSON.stringify(result));
    return;
  }
  if (result.metrics) console.log(formatMetrics(result.metrics, result.labels));
  console.log(`\nThe model is in ${result.output}. Try:\n  cloze predict ${result.output} "some text"`);
}

/** Says on standard error how the training goes. */
class Printer {
  #progress: Progress | undefined;
  #started = Date.now();
  #tokens = 0;
  #loss: number | undefined;

  print(event: FinetuneEvent) {
    switch (event.kind) {
      case "data": {
        const notes = [`${event.examples} examples`];
        for (const [what, count] of Object.entries(event.skipped)) {
          if (count > 0) notes.push(`${count} ${what} skipped`);
        }
        if (event.truncated > 0) notes.push(`${event.truncated} longer than the maximum length, cut`);
        return console.error(`${event.file}: ${notes.join(", ")}`);
      }
      case "model": {
        console.error(`${event.parameters.toLocaleString("en")} parameters${listed(event.labels)}`);
        if (event.fresh.length > 0) console.error(`starting from random values: ${event.fresh.join(", ")}`);
        if (event.unused.length > 0)
          console.error(`not used: ${event.unused.length} weights, ${event.unused[0]} first`);
        return;
      }
      case "resumed":
        return console.error(
          event.step === 0
            ? "no checkpoint yet, starting from the beginning"
            : `resuming after step ${event.step} of ${event.totalSteps}`,
        );
      case "ended":
        return console.error(`nothing to resume: the training ended after step ${event.steps}`);
      case "step": {
        if (this.#progress === undefined) {
          this.#progress = showProgress("training", event.totalSteps, event.step);
          this.#started = Date.now();
        } else {
          this.#tokens += event.tokens;
        }
        // A running mean over about 20 steps is steady enough to read.
        this.#loss = this.#loss === undefined ? event.loss : 0.95 * this.#loss + 0.05 * event.loss;
        const rate = Math.round((1000 * this.#tokens) / Math.max(1, Date.now() - this.#started));
        const speed = rate > 0 ? `  ${rate.toLocaleString("en")} tokens/s` : "";
        return this.#progress.update(event.step, `loss ${this.#loss.toFixed(3)}${speed}`);
      }
      case "epoch": {
        const score = event.evaluation === undefined ? "" : `, dev score ${event.evaluation.score.toFixed(4)}`;
        return this.#progress?.line(`epoch ${event.epoch + 1}: loss ${event.loss.toFixed(4)}${score}`);
      }
    }
  }

  stop() {
    this.#progress?.stop();
  }
}

/** Labels as a person wants to read them: all of some, the first of many. */
function listed(labels: readonly string[]): string {
  if (labels.length === 0) return "";
  const shown = labels.slice(0, 20).join(", ");
  return labels.length > 20 ? `, ${labels.length} labels: ${shown}, ...` : `, labels ${shown}`;
}
