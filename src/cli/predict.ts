import { Command, Option } from "commander";
import type { ExecutorOptions } from "../executors/executor.node.ts";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import { answerEncoder } from "../tasks/pipelines/answer-files.ts";
import {
  PREDICTION_TASKS,
  PREDICTIONS,
  type PredictionTask,
  predictionOf,
} from "../tasks/pipelines/predictions.node.ts";
import { TASKS } from "../tasks/task-table.node.ts";
import { shared } from "./options.ts";
import { mergeOptions, schemaOptions } from "./schema-options.ts";
import { print } from "./standard-output.ts";
import { reportCounts, requireOneSource, sourceOf, withProgress } from "./text-stream.ts";

interface Options extends ExecutorOptions {
  task?: PredictionTask;
  input?: string;
  output?: string;
}

export function predictCommand(): Command {
  const own = mergeOptions(Object.fromEntries(PREDICTION_TASKS.map((name) => [name, optionsOf(name)])));
  const command = new Command("predict")
    .description("label texts, answer questions, fill in masks, go on writing, judge texts: one JSON object a line")
    .argument("<dir>", "model folder")
    .argument("[text...]", "texts; with neither texts nor --input, the lines of standard input")
    .option("--input <file>", "plain text (one a line), CSV, TSV, JSON Lines, Parquet, SQuAD or .conll, gzipped or not")
    .option(
      "--output <file>",
      "file to write instead of standard output: JSON Lines; of a SQuAD file's answers also .json, of tags .conll",
    )
    .addOption(
      new Option("--task <name>", "what to predict (default: what the model was made for)").choices(PREDICTION_TASKS),
    );
  for (const option of own.all) command.addOption(option);
  command
    .addOption(shared.device())
    .addOption(shared.precision("inference"))
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
  $ cloze predict model --input dev-v2.0.json --output answers.json

With a model that tags words:
  $ cloze predict model "Ada came from London."
  $ cloze predict model --input test.conll --tag-column -1 --output tagged.conll

With a model for multiple choice, a context and its choices:
  $ cloze predict model "She dropped the glass." "It broke." "It sang."

With a model of pairs, such as of entailment or similarity:
  $ cloze predict model --pairs "A man sings." "Someone sings."
  $ cloze predict model --task zero-shot-classification "I want my money back." --candidate-labels refund,praise
  $ cloze predict model --task sentence-similarity --input pairs.tsv --text-column a --pair-column b
  $ cloze predict model --task rerank "capital of France" "Rome is in Italy." "Paris is in France."

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
      const task = options.task ?? (await predictionOf(folder));
      own.requireOwn(task, options);
      await run(folder, texts, { ...options, task });
    });
  return command;
}

async function run(folder: string, texts: readonly string[], options: Options & { task: PredictionTask }) {
  const { task, input, output } = options;
  const { source, signal } = sourceOf(texts, input);
  const { answers, counts, dispose } = await PREDICTIONS[task].open(folder, source, { ...options, signal });
  try {
    const encode = answerEncoder(task, output);
    if (output === undefined) await print(encoded(encode(answers)));
    else await writeFileAtomic(output, encoded(encode(withProgress("predicting", answers, { counts }))));
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await dispose();
  }
  reportCounts(counts);
  if (output !== undefined) console.error(`${output}: ${counts.texts} predictions`);
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const text of texts) yield encoder.encode(text);
}

/** A task that models are fine-tuned for has its settings from the model. */
function optionsOf(name: PredictionTask): Option[] {
  const { reading, settings } = PREDICTIONS[name];
  const defaults = name in TASKS ? "the model's" : "told";
  return [...schemaOptions(reading, "prediction"), ...schemaOptions(settings, "prediction", defaults)];
}
