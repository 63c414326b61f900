import { type Command, Option } from "commander";
import { PRESETS } from "../bert/config.ts";
import { TASKS, type TaskName } from "../tasks/task-table.node.ts";
import { TRAINING_DEFAULTS as DEFAULTS } from "../train/train.ts";
import {
  nonNegativeInteger,
  nonNegativeNumber,
  numberOption,
  positiveInteger,
  positiveNumber,
  ratio,
  shared,
} from "./options.ts";
import { schemaOptions } from "./schema-options.ts";

/** What `finetune` and `sweep` have in common: the task's own options, and those of training that are no grid's. */
export function addTrainingOptions(command: Command, name: TaskName): Command {
  const task = TASKS[name];
  const options = [
    new Option(
      "--model <name>",
      `a model folder; ${PRESETS.join(", ")} or a config.json for random weights (default: the English model that comes along)`,
    ),
    new Option("--train <file>", "examples to learn from; gzipped or not, as all files").makeOptionMandatory(),
    new Option("--dev <file>", "examples to choose the best epoch by"),
    new Option("--output <dir>", "folder for the result").makeOptionMandatory(),
    new Option("--vocab <path>", "vocabulary of a preset: a vocab.txt or a folder that has one"),
    ...schemaOptions(task.reading, "training", "set"),
    ...schemaOptions(task.settings, "training", "set"),
    numberOption(
      "--max-length <n>",
      `tokens of a sequence at most (default: ${task.defaultMaxLength}, or as many as the model takes)`,
      positiveInteger,
    ),
    numberOption(
      "--accumulate <n>",
      "parts that a batch is run in, to save memory",
      positiveInteger,
      DEFAULTS.accumulate,
    ),
    shared.recompute(),
    numberOption("--warmup-ratio <x>", "share of the updates over which the rate rises", ratio, DEFAULTS.warmupRatio),
    numberOption("--clip-norm <x>", "largest global norm of the gradient", positiveNumber, DEFAULTS.clipNorm),
    numberOption("--weight-decay <x>", "pull of weights towards 0", nonNegativeNumber, DEFAULTS.weightDecay),
    numberOption(
      "--layer-decay <x>",
      "learning rate of each layer as a multiple of that of the one above",
      ratio,
      DEFAULTS.layerDecay,
    ),
    numberOption(
      "--freeze-layers <n>",
      "leave the embeddings and so many of the lowest layers as they are",
      nonNegativeInteger,
    ),
    numberOption("--patience <n>", "stop after this many epochs without a better one", positiveInteger),
    numberOption("--checkpoint-every <n>", "updates between checkpoints (default: an epoch)", positiveInteger),
    shared.device(),
    shared.precision("training"),
    shared.threads(),
    new Option("--overwrite", "replace what the output folder holds"),
    shared.json(),
  ];
  for (const option of options) command.addOption(option);
  return command;
}

/** One recipe. */
export function addRecipeOptions(command: Command): Command {
  return command
    .addOption(numberOption("--epochs <n>", "passes over the data", positiveInteger, DEFAULTS.epochs))
    .addOption(numberOption("--batch-size <n>", "examples of one update", positiveInteger, DEFAULTS.batchSize))
    .addOption(
      numberOption(
        "--learning-rate <x>",
        "the highest learning rate; the default is for base, 3e-4 suits small models such as the one that comes along",
        positiveNumber,
        DEFAULTS.learningRate,
      ),
    )
    .addOption(numberOption("--seed <n>", "equal seeds give equal models", nonNegativeInteger, DEFAULTS.seed));
}
