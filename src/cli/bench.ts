import { availableParallelism } from "node:os";
import { Command } from "commander";
import { ClozeError } from "../base/errors.ts";
import { type BertConfig, isPreset, PRESETS, parseBertConfig, presetConfig, withoutDropout } from "../bert/config.ts";
import {
  type ExecutorOptions,
  isUnavailable,
  nativeInstructionSets,
  openExecutor,
  openStepKernels,
  type Use,
} from "../executors/executor.node.ts";
import type { DifferentiateOptions } from "../graph/differentiate.ts";
import { configJson, openConfig } from "../tasks/folder/model-folder.node.ts";
import { measureLimits } from "./bench/limits.ts";
import { type BenchReport, formatReport, medianRun, runFigures, type TimedRun } from "./bench/report.ts";
import { type OpenWorkload, openInference, openStep, type Workload } from "./bench/workloads.ts";
import { numberOption, positiveInteger, ratio, shared } from "./options.ts";
import { showProgress } from "./progress.ts";

/** Tokens of the published uncased vocabulary, which presets are measured with. */
const VOCABULARY = 30522;

export function benchCommand(): Command {
  return new Command("bench")
    .description("measure where the time of a run goes, and how far from the machine's limits it is")
    .addCommand(stepCommand())
    .addCommand(inferCommand());
}

function stepCommand(): Command {
  const command = new Command("step").description("a training step: masked LM, next sentence, clipping, AdamW");
  return addOptions(command, "training")
    .addOption(numberOption("--dropout <x>", "rate of dropout (default: the model's)", ratio))
    .addOption(shared.recompute())
    .addHelpText("after", examples("step"))
    .action((options: Options) => run("step", openStep, options));
}

function inferCommand(): Command {
  const command = new Command("infer").description("the encoder's forward pass with frozen weights");
  return addOptions(command, "inference")
    .addHelpText("after", examples("infer"))
    .action((options: Options) => run("infer", openInference, { ...options, dropout: 0 }));
}

function addOptions(command: Command, use: Use): Command {
  return command
    .option("--model <name>", `${PRESETS.join(", ")}, a config.json, or a model folder, for its sizes alone`, "base")
    .addOption(numberOption("--batch <n>", "sequences of a run", positiveInteger, 16))
    .addOption(numberOption("--length <n>", "tokens of each sequence", positiveInteger, 128))
    .addOption(shared.precision(use))
    .addOption(shared.threads())
    .addOption(numberOption("--runs <n>", "runs after one that warms up; the median is told", positiveInteger, 5))
    .addOption(shared.json());
}

function examples(name: string): string {
  return `
Examples:
  $ cloze bench ${name} --model base --batch 16 --length 128
  $ cloze bench ${name} --model mini --batch 64 --precision fp32 --threads 1 --json

Weights and tokens are random; nothing else should run meanwhile. Products and attention are judged by their operations,
beside the fastest product of the encoder's sizes, with int8 of integers, which attention has none of; all else by the
bytes that it reads and writes, beside the memory.`;
}

interface Options extends Pick<ExecutorOptions, "precision" | "threads">, DifferentiateOptions {
  readonly model: string;
  readonly batch: number;
  readonly length: number;
  readonly dropout?: number;
  readonly runs: number;
  readonly json?: true;
}

async function run(name: "step" | "infer", open: OpenWorkload, options: Options): Promise<void> {
  const { model, batch, length, threads = availableParallelism() } = options;
  const config = await configOf(options);
  const lengths = new Array<number>(batch).fill(length);
  const executor = await openExecutor(options, name === "step" ? "training" : "inference");
  const limits = await measureLimits(executor, config, lengths, { frozen: name === "infer" });
  const workload = await open(config, lengths, { executor, stepKernels: openStepKernels(options) }, options);
  const runs = await timeRuns(workload, options.runs).finally(() => workload.dispose());
  const size = { tokens: batch * length, flop: workload.flop };
  const report: BenchReport = {
    ...{ workload: name, model, batch, length, dropout: config.hiddenDropout, executor: executor.name, threads },
    ...size,
    ...runFigures(medianRun(runs), size, limits),
    limits,
    runs: runs.map(({ seconds }) => seconds),
    missing: missingKernels(),
  };
  console.log(options.json ? JSON.stringify(report) : formatReport(report));
}

async function timeRuns(workload: Workload, count: number): Promise<TimedRun[]> {
  const runs: TimedRun[] = [];
  const progress = showProgress("measuring", count + 1);
  try {
    for (let index = 0; index <= count; index++) {
      const start = performance.now();
      const parts = await workload.run(index);
      runs.push({ seconds: (performance.now() - start) / 1000, parts });
      progress.update(index + 1, "runs");
    }
  } finally {
    progress.stop();
  }
  return runs.slice(1); // the first warms up
}

/** Why kernels are not timed, where they are not: ONNX Runtime computes. Throws OPTION_INVALID for a wrong CLOZE_ISA. */
function missingKernels(): string | undefined {
  try {
    nativeInstructionSets();
  } catch (error) {
    if (isUnavailable(error)) return error.message;
    throw error;
  }
}

/** Throws OPTION_INVALID, and the errors of config files. */
async function configOf({ model, length, dropout }: Options): Promise<BertConfig> {
  const config = await namedConfig(model);
  if (length > config.maxPositions) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "--length is more than the model takes",
      expected: `at most ${config.maxPositions}`,
      received: String(length),
    });
  }
  if (dropout === undefined) return config;
  return { ...withoutDropout(config), hiddenDropout: dropout, attentionDropout: dropout };
}

async function namedConfig(model: string): Promise<BertConfig> {
  if (isPreset(model)) return presetConfig(model, VOCABULARY);
  return model.endsWith(".json") ? openConfig(model) : parseBertConfig(await configJson(model), model);
}
