import { Command, InvalidArgumentError, Option } from "commander";
import { PRESETS } from "../bert/config.ts";
import { LINE_MODES, type LineMode } from "../corpus/sentences.ts";
import { MASK_UNITS } from "../data/masking.ts";
import { PAIRINGS } from "../data/sentence-pairs.ts";
import { OPTIMIZERS } from "../optim/optimizers.ts";
import { SCHEDULES } from "../optim/schedule.ts";
import {
  type PretrainEvent,
  type PretrainOptions,
  type PretrainResult,
  pretrain,
} from "../tasks/pretraining/pretrain.node.ts";
import { OBJECTIVES } from "../tasks/pretraining/pretraining.ts";
import { INTERVAL_DEFAULTS, PRETRAINING_DEFAULTS } from "../tasks/pretraining/pretraining-settings.ts";
import { abortOnInterrupt } from "./exit.ts";
import {
  choiceOption,
  nonNegativeInteger,
  nonNegativeNumber,
  numberOption,
  positiveInteger,
  positiveNumber,
  ratio,
  shared,
} from "./options.ts";
import { formatSeconds, type Progress, printLine, showProgress } from "./progress.ts";

const DEFAULTS = { ...PRETRAINING_DEFAULTS, ...INTERVAL_DEFAULTS };

export function pretrainCommand(): Command {
  return new Command("pretrain")
    .description("train a model on raw text: masked LM and next sentence")
    .requiredOption("--data <dir...>", "folders that `cloze prepare` wrote")
    .requiredOption("--model <name>", `${PRESETS.join(", ")}, a config.json, or a model folder to train further`)
    .requiredOption("--output <dir>", "folder for the model, its checkpoints and logs")
    .option("--vocab <path>", "the vocabulary that the data was prepared with; a model folder has its own")
    .addOption(numberOption("--steps <n>", "updates of the model", positiveInteger, DEFAULTS.steps))
    .addOption(numberOption("--batch-tokens <n>", "tokens of one update", positiveInteger, DEFAULTS.batchTokens))
    .addOption(
      numberOption(
        "--accumulate <n>",
        "parts that a batch is run in, to save memory",
        positiveInteger,
        DEFAULTS.accumulate,
      ),
    )
    .addOption(shared.recompute())
    .addOption(numberOption("--learning-rate <x>", "the highest learning rate", positiveNumber, DEFAULTS.learningRate))
    .addOption(
      numberOption(
        "--warmup-steps <n>",
        "updates over which the learning rate rises (default: a tenth)",
        nonNegativeInteger,
      ),
    )
    .addOption(choiceOption("--schedule <name>", "how the learning rate rises and falls", SCHEDULES, DEFAULTS.schedule))
    .addOption(choiceOption("--optimizer <name>", "what makes the updates", OPTIMIZERS, DEFAULTS.optimizer))
    .addOption(
      numberOption("--clip-norm <x>", "largest global norm of the gradient", positiveNumber, DEFAULTS.clipNorm),
    )
    .addOption(numberOption("--weight-decay <x>", "pull of weights towards 0", nonNegativeNumber, DEFAULTS.weightDecay))
    .addOption(numberOption("--max-length <n>", "tokens of a sequence at most", positiveInteger, DEFAULTS.maxLength))
    .addOption(
      new Option("--then <length:share>", "another length for the last updates, such as 512:10%").argParser(
        lengthShare,
      ),
    )
    .addOption(choiceOption("--pairs <what>", "what the second half of a sequence is", PAIRINGS, DEFAULTS.pairs))
    .addOption(
      choiceOption("--objective <name>", "learn about pairs too, or the masks alone (default: by --pairs)", OBJECTIVES),
    )
    .addOption(choiceOption("--mask <unit>", "what is hidden as one", MASK_UNITS, DEFAULTS.mask))
    .addOption(numberOption("--mask-rate <x>", "share of the tokens that is hidden", ratio, DEFAULTS.maskRate))
    .addOption(
      numberOption(
        "--duplicates <n>",
        "sets of masks and pairs, used again and again (default: new ones each epoch)",
        positiveInteger,
      ),
    )
    .addOption(numberOption("--dropout <x>", "dropout while pre-training (default: the model's)", ratio))
    .addOption(numberOption("--seed <n>", "equal seeds give equal models", nonNegativeInteger, DEFAULTS.seed))
    .option("--held-out <file...>", "text to evaluate on now and then")
    .addOption(
      choiceOption("--lines <what>", "what a line of the held-out text is, as for prepare", LINE_MODES, "paragraph"),
    )
    .option("--text-column <name>", "column of the held-out text, where it is in a table", "text")
    .option("--locale <tag>", "language of the held-out text, whose rules end a sentence", "en")
    .addOption(
      numberOption("--evaluate-every <n>", "updates between evaluations", positiveInteger, DEFAULTS.evaluateEvery),
    )
    .addOption(
      numberOption("--checkpoint-every <n>", "updates between checkpoints", positiveInteger, DEFAULTS.checkpointEvery),
    )
    .addOption(numberOption("--keep <n>", "checkpoints that stay", positiveInteger, DEFAULTS.keep))
    .addOption(numberOption("--max-hours <x>", "stop after so many hours, to be resumed later", positiveNumber))
    .addOption(
      choiceOption("--weights <type>", "how the model's weights are stored", ["float32", "float16"], "float32"),
    )
    .addOption(shared.device())
    .addOption(shared.precision("training"))
    .addOption(shared.threads())
    .option("--resume", "continue an interrupted training, bit for bit; begin it where nothing was begun")
    .option("--force", "resume although settings have changed")
    .option("--overwrite", "replace what the output folder holds")
    .addOption(shared.json())
    .addHelpText(
      "after",
      `
Examples:
  $ cloze vocab texts --size 8000 --output vocab
  $ cloze prepare texts --vocab vocab --output data
  $ cloze pretrain --data data --vocab vocab --model mini --output model --max-hours 8
  $ cloze pretrain --data data --vocab vocab --model mini --output model --max-hours 8 --resume

Watch it with: tensorboard --logdir model; the same figures are in model/log.jsonl. docs/pretraining.md says what each
choice costs.`,
    )
    .action(run);
}

interface Options extends Omit<PretrainOptions, "heldOutText" | "lastStage" | "onEvent" | "signal"> {
  then?: PretrainOptions["lastStage"];
  lines: LineMode;
  textColumn: string;
  locale: string;
  json?: boolean;
}

async function run({ json, lines, textColumn, locale, then, ...options }: Options) {
  const printer = new Printer();
  const result = await pretrain({
    ...options,
    lastStage: then,
    heldOutText: { lines, textColumn, locale },
    signal: abortOnInterrupt(),
    onEvent: (event) => printer.print(event),
  }).finally(() => printer.stop());
  if (json) console.log(JSON.stringify(result));
  else console.log(summary(result));
}

function summary({ output, steps, totalSteps, tokens, seconds, metrics }: PretrainResult): string {
  const lines = [
    `${steps} of ${totalSteps} updates, ${tokens.toLocaleString("en")} tokens in ${formatSeconds(seconds)}`,
  ];
  if (metrics !== undefined) lines.push(`held out: ${formatEvaluation(metrics)}`);
  if (steps < totalSteps) lines.push("The time is over. The same command with --resume goes on from here.");
  return `${lines.join("\n")}\n\nThe model is in ${output}. Try:\n  cloze predict ${output} "The capital of France is [MASK]."`;
}

function formatEvaluation(metrics: Readonly<Record<string, unknown>>): string {
  const { maskedLoss, maskedAccuracy, perplexity, nextSentenceAccuracy } = metrics;
  const figures = [
    `masked-LM loss ${fixed(maskedLoss, 3)}`,
    `accuracy ${fixed(maskedAccuracy, 4)}`,
    `perplexity ${fixed(perplexity, 2)}`,
  ];
  if (nextSentenceAccuracy !== undefined) figures.push(`pairs ${fixed(nextSentenceAccuracy, 4)}`);
  return figures.join(", ");
}

function fixed(value: unknown, digits: number): string {
  return Number(value).toFixed(digits);
}

/** 512:10% or 512:0.1 */
function lengthShare(text: string): { maxLength: number; share: number } {
  const match = /^(\d+):(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match === null ? 0 : Number(match[2]) / (match[3] === "%" ? 100 : 1);
  if (match === null || !(share > 0 && share < 1)) {
    throw new InvalidArgumentError("Give a length and a share of the updates, such as 512:10%.");
  }
  return { maxLength: Number(match[1]), share };
}

/** Says on standard error how the training goes. */
class Printer {
  #progress: Progress | undefined;
  #ceiling = 1;
  #recent = { loss: 0, accuracy: 0, pairs: 0, tokens: 0, seconds: 0 };

  print(event: PretrainEvent) {
    switch (event.kind) {
      case "data":
        console.error(`${count(event.tokens)} tokens in ${count(event.documents)} documents, shards: ${event.shards}`);
        if (event.lone > 0)
          console.error(`shards of one document, which have no pairs and are passed over: ${event.lone}`);
        return;
      case "heldOut":
        return console.error(`held out: ${count(event.sequences)} sequences, ${count(event.maskedTokens)} masks`);
      case "model":
        this.#ceiling = event.ceiling;
        if (event.fresh.length > 0) console.error(`starting from random values: ${event.fresh.join(", ")}`);
        console.error(
          `${count(event.parameters)} parameters; matrix products alone would run at ${count(Math.round(event.ceiling))} tokens/s`,
        );
        this.#progress = showProgress("pre-training", event.totalSteps, event.step);
        return;
      case "resumed":
        if (event.changed !== undefined) console.error(`changed settings: ${event.changed}`);
        return console.error(
          event.step === 0 ? "no checkpoint yet, starting from the beginning" : `resuming after step ${event.step}`,
        );
      case "ended":
        return console.error(`nothing to resume: the training ended after step ${event.steps}`);
      case "checkpoint":
        return;
      case "evaluation":
        return printLine(this.#progress, `step ${event.step}, held out: ${formatEvaluation(event.evaluation.metrics)}`);
      case "step":
        return this.#step(event);
    }
  }

  #step({ step, loss, metrics, tokens, seconds }: Extract<PretrainEvent, { kind: "step" }>) {
    const { maskedLoss = loss, maskedAccuracy = 0, nextSentenceAccuracy = 0 } = metrics;
    // A running mean over about 50 updates is steady enough to read.
    const share = this.#recent.tokens === 0 ? 1 : 0.02;
    const mean = (old: number, value: number) => old + share * (value - old);
    this.#recent = {
      loss: mean(this.#recent.loss, maskedLoss),
      accuracy: mean(this.#recent.accuracy, maskedAccuracy),
      pairs: mean(this.#recent.pairs, nextSentenceAccuracy),
      tokens: mean(this.#recent.tokens, tokens),
      seconds: mean(this.#recent.seconds, seconds),
    };
    const speed = this.#recent.tokens / this.#recent.seconds;
    const notes = [
      `loss ${this.#recent.loss.toFixed(3)}`,
      `accuracy ${this.#recent.accuracy.toFixed(3)}`,
      `perplexity ${Math.exp(this.#recent.loss).toPrecision(3)}`,
    ];
    if (metrics.nextSentenceAccuracy !== undefined) notes.push(`pairs ${this.#recent.pairs.toFixed(3)}`);
    notes.push(`${count(Math.round(speed))} tokens/s`, `${Math.round((100 * speed) / this.#ceiling)}% of ceiling`);
    this.#progress?.update(step, notes.join("  "));
  }

  stop() {
    this.#progress?.stop();
  }
}

function count(value: number): string {
  return value.toLocaleString("en");
}
