import { Command, Option } from "commander";
import { ClozeError } from "../base/errors.ts";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import { purposeOf } from "../tasks/model-folder.node.ts";
import { commaSeparated, positiveInteger, shared } from "./options.ts";
import {
  type OpenTask,
  PREDICTION_TASK_NAMES,
  PREDICTION_TASKS,
  type PredictionTask,
  type TaskOptions,
  type TaskRow,
  taskFor,
} from "./prediction-tasks.ts";
import { print } from "./standard-output.ts";
import { inChunks, openTexts, reportCounts, type TextStream, withProgress } from "./text-stream.ts";

interface Options extends OnnxOptions, TaskOptions {
  task?: PredictionTask;
  input?: string;
  output?: string;
  textColumn: string;
  pairColumn?: string;
  onEmpty: "refuse" | "skip";
}

export function predictCommand(): Command {
  return new Command("predict")
    .description("label texts, fill in masks, go on writing, judge texts: one JSON object a line")
    .argument("<dir>", "model folder")
    .argument("[text...]", "texts; with neither texts nor --input, the lines of standard input")
    .option("--input <file>", "plain text (one a line), CSV, TSV, JSON Lines or Parquet, gzipped or not")
    .option("--output <file>", "JSON Lines file to write instead of standard output")
    .addOption(
      new Option("--task <name>", "what to predict (default: what the model was made for)").choices(
        PREDICTION_TASK_NAMES,
      ),
    )
    .addOption(new Option("--top-k <n>", "candidates for a mask or a word (default: 5)").argParser(positiveInteger))
    .addOption(new Option("--targets <words>", "fill masks with these words only: a,b,c").argParser(commaSeparated))
    .addOption(shared.textColumn())
    .addOption(shared.pairColumn())
    .addOption(shared.onEmpty())
    .addOption(shared.device())
    .addOption(shared.threads())
    .addOption(new Option("--json", "accepted for symmetry: the result is JSON Lines anyway"))
    .addHelpText(
      "after",
      `
Examples:
  $ cloze predict model "Win a prize now!" "See you at lunch"
  $ cloze predict model --input mails.jsonl.gz --output labels.jsonl

With a model that was pre-trained and not fine-tuned:
  $ cloze predict bert "Paris is the [MASK] of France." --top-k 3
  $ cloze predict bert "The doctor said [MASK] was late." --targets he,she
  $ cloze predict bert --task next-word "The capital of fra"
  $ cloze predict bert --task next-sentence "It rained all day." "The streets were wet."
  $ cloze predict bert --task next-sentence --input pairs.csv --text-column a --pair-column b
  $ cloze predict bert --task pseudo-log-likelihood "I sees him" "I see him"`,
    )
    .action(run);
}

async function run(folder: string, texts: string[], options: Options, command: Command) {
  const { pairs }: Pick<TaskRow, "pairs"> = PREDICTION_TASKS[options.task ?? "text-classification"];
  const stream = openTexts(texts, { ...options, inPairs: pairs === "always" }, command);
  const row = await chooseTask(folder, texts, options);
  const { counts, signal } = stream;
  const task = await row.open(folder, options);
  try {
    const lines = predictions(task, stream);
    if (options.output === undefined) await print(lines);
    else await writeFileAtomic(options.output, withProgress("predicting", lines, stream));
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await task.dispose();
  }
  reportCounts(counts);
  if (options.output !== undefined) console.error(`${options.output}: ${counts.texts} predictions`);
}

/** The task asked for, or the model's own. Throws OPTION_INVALID for options that it has no use for. */
async function chooseTask(folder: string, texts: readonly string[], options: Options): Promise<TaskRow> {
  const name = options.task ?? taskFor(await purposeOf(folder));
  const task: TaskRow = PREDICTION_TASKS[name];
  const without = (flag: string) => new ClozeError("OPTION_INVALID", { problem: `the task ${name} has no ${flag}` });
  if (options.topK !== undefined && !task.options.includes("topK")) throw without("--top-k");
  if (options.targets !== undefined && !task.options.includes("targets")) throw without("--targets");
  if (options.pairColumn !== undefined && task.pairs === "never") throw without("--pair-column");
  if (options.pairColumn === undefined && task.pairs === "always" && texts.length === 0) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `the task ${name} is about pairs of texts`,
      expected: "two texts, or --input with a table and --pair-column",
    });
  }
  return task;
}

async function* predictions(task: OpenTask, stream: TextStream): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const { chunk, result } of inChunks(stream, (texts) => task.answer(texts, stream.signal))) {
    const lines = chunk.map((input, i) => `${JSON.stringify({ ...input, ...result.results[i] })}\n`);
    yield encoder.encode(lines.join(""));
  }
}
