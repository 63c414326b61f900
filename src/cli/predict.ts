import { Command, Option } from "commander";
import { ClozeError } from "../base/errors.ts";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import { purposeOf } from "../tasks/folder/model-folder.node.ts";
import { openChoices } from "./choice-stream.ts";
import { shared } from "./options.ts";
import {
  type OpenTask,
  PREDICTION_TASK_NAMES,
  type PredictionTask,
  rowOf,
  type TaskOptions,
  type TaskRow,
  taskFor,
} from "./prediction-tasks.ts";
import { openQuestions } from "./question-stream.ts";
import { mergeOptions } from "./schema-options.ts";
import { print } from "./standard-output.ts";
import { inChunks, openTexts, reportCounts, requireOneSource, type TextStream, withProgress } from "./text-stream.ts";

interface Options extends OnnxOptions, TaskOptions {
  task?: PredictionTask;
  input?: string;
  output?: string;
  textColumn?: string;
  pairColumn?: string;
  onEmpty: "refuse" | "skip";
}

export function predictCommand(): Command {
  const own = mergeOptions(Object.fromEntries(PREDICTION_TASK_NAMES.map((name) => [name, rowOf(name).options])));
  const command = new Command("predict")
    .description("label texts, answer questions, fill in masks, go on writing, judge texts: one JSON object a line")
    .argument("<dir>", "model folder")
    .argument("[text...]", "texts; with neither texts nor --input, the lines of standard input")
    .option("--input <file>", "plain text (one a line), CSV, TSV, JSON Lines, Parquet or SQuAD, gzipped or not")
    .option("--output <file>", "JSON Lines file to write instead of standard output")
    .addOption(
      new Option("--task <name>", "what to predict (default: what the model was made for)").choices(
        PREDICTION_TASK_NAMES,
      ),
    )
    .option("--text-column <name>", `column of the text (default: "text"; of a question: "question")`)
    .option("--pair-column <name>", `column of the second text, where texts are pairs (of a question: "context")`)
    .addOption(shared.onEmpty());
  for (const option of own.all) command.addOption(option);
  command
    .addOption(shared.device())
    .addOption(shared.threads())
    .addOption(new Option("--json", "accepted for symmetry: the result is JSON Lines anyway"))
    .addHelpText(
      "after",
      `
Examples:
  $ cloze predict model "Win a prize now!" "See you at lunch"
  $ cloze predict model --input mails.jsonl.gz --output labels.jsonl

With a model that answers questions, a question and its context:
  $ cloze predict model "Who came?" "Ada came on Tuesday." --top-k 3
  $ cloze predict model --input dev-v2.0.json --output answers.jsonl

With a model for multiple choice, a context and its choices:
  $ cloze predict model "She dropped the glass." "It broke." "It sang."

With a model that was pre-trained and not fine-tuned:
  $ cloze predict bert "Paris is the [MASK] of France." --top-k 3
  $ cloze predict bert "The doctor said [MASK] was late." --targets he,she
  $ cloze predict bert --task next-word "The capital of fra"
  $ cloze predict bert --task next-sentence "It rained all day." "The streets were wet."
  $ cloze predict bert --task next-sentence --input pairs.csv --text-column a --pair-column b
  $ cloze predict bert --task pseudo-log-likelihood "I sees him" "I see him"`,
    )
    .action(async (folder: string, texts: string[], options: Options) => {
      requireOneSource(texts, options, command);
      const name = options.task ?? taskFor(await purposeOf(folder));
      own.requireOwn(name, options);
      await run(folder, texts, { ...options, task: name });
    });
  return command;
}

async function run(folder: string, texts: string[], options: Options & { task: PredictionTask }) {
  const row = rowOf(options.task);
  if (row.inputs === "choices") {
    const stream = openChoices(texts, options);
    return predict(await row.open(folder, options), stream, options);
  }
  if (row.inputs === "questions") {
    const stream = await openQuestions(texts, options);
    return predict(await row.open(folder, options), stream, options);
  }
  const { textColumn = row.columns?.textColumn, pairColumn = row.columns?.pairColumn } = options;
  requirePairs(row, texts, { ...options, pairColumn });
  const columns = texts.length > 0 ? {} : { textColumn, pairColumn };
  const stream = openTexts(texts, { ...options, ...columns, inPairs: row.pairs === "always" });
  await predict(await row.open(folder, options), stream, options);
}

async function predict<I extends object>(task: OpenTask<I>, stream: TextStream<I>, options: Options) {
  const { counts, signal } = stream;
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

/** Throws OPTION_INVALID where a task of pairs gets single texts, or one of single texts pairs. */
function requirePairs({ pairs }: TaskRow, texts: readonly string[], { task, pairColumn }: Options): void {
  if (pairColumn !== undefined && pairs === "never") {
    throw new ClozeError("OPTION_INVALID", { problem: `the task ${task} has no --pair-column` });
  }
  if (pairColumn === undefined && pairs === "always" && texts.length === 0) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `the task ${task} is about pairs of texts`,
      expected: "two texts, or --input with a table and --pair-column",
    });
  }
}

async function* predictions<I extends object>(task: OpenTask<I>, stream: TextStream<I>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const { chunk, result } of inChunks(stream, (texts) => task.answer(texts, stream.signal))) {
    const shown = task.shown === undefined ? chunk : chunk.map(task.shown);
    const lines = shown.map((input, i) => `${JSON.stringify({ ...input, ...result.results[i] })}\n`);
    yield encoder.encode(lines.join(""));
  }
}
