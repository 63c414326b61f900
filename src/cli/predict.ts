import { once } from "node:events";
import { addAbortSignal } from "node:stream";
import { Command, Option } from "commander";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import { readInputs } from "../tasks/inputs.node.ts";
import type { TextInput } from "../tasks/text-classification.ts";
import { TextClassifier } from "../tasks/text-classifier.node.ts";
import { abortOnInterrupt } from "./exit.ts";
import { shared } from "./options.ts";
import { showCount } from "./progress.ts";

interface Options extends OnnxOptions {
  input?: string;
  output?: string;
  textColumn: string;
  pairColumn?: string;
  onEmpty: "refuse" | "skip";
}

export function predictCommand(): Command {
  return new Command("predict")
    .description("label texts, one JSON object a line")
    .argument("<dir>", "model folder")
    .argument("[text...]", "texts; with neither texts nor --input, the lines of standard input")
    .option("--input <file>", "plain text (one a line), CSV, TSV, JSON Lines or Parquet, gzipped or not")
    .option("--output <file>", "JSON Lines file to write instead of standard output")
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
  $ cloze predict model --input mails.jsonl.gz --output labels.jsonl`,
    )
    .action(run);
}

async function run(folder: string, texts: string[], options: Options, command: Command) {
  if (texts.length > 0 && options.input !== undefined) command.error("error: give texts or --input, not both");
  const counts = { texts: 0, skipped: 0, truncated: 0 };
  const inputs = readInputs(texts.length > 0 ? texts : options.input, options, counts);
  const signal = abortOnInterrupt();
  if (texts.length === 0 && options.input === undefined) addAbortSignal(signal, process.stdin);
  const classifier = await TextClassifier.open(folder, options);
  try {
    const lines = predictions(classifier, inputs, counts, signal);
    if (options.output === undefined) await print(lines);
    else await writeFileAtomic(options.output, withProgress(lines, counts));
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await classifier.dispose();
  }
  if (counts.skipped > 0) console.error(`${counts.skipped} empty texts skipped`);
  if (counts.truncated > 0) console.error(`${counts.truncated} texts longer than the maximum length, cut`);
  if (options.output !== undefined) console.error(`${options.output}: ${counts.texts} predictions`);
}

/** Waits for a reader that is slower than the predictions, so that a file of any size can be piped on. */
async function print(lines: AsyncIterable<Uint8Array>) {
  for await (const line of lines) {
    if (!process.stdout.write(line)) await once(process.stdout, "drain");
  }
}

async function* withProgress(lines: AsyncIterable<Uint8Array>, counts: { readonly texts: number }) {
  const progress = showCount("predicting", "texts");
  try {
    for await (const line of lines) {
      progress.update(counts.texts);
      yield line;
    }
  } finally {
    progress.stop();
  }
}

/** Texts classified together: enough for batches of like length, few enough for a file of any size. */
const CHUNK = 1024;

async function* predictions(
  classifier: TextClassifier,
  inputs: AsyncIterable<TextInput>,
  counts: { texts: number; truncated: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let chunk: TextInput[] = [];
  const classify = async () => {
    const { probabilities, truncated } = await classifier.classify(chunk, { signal });
    counts.texts += chunk.length;
    counts.truncated += truncated;
    const lines = chunk.map(
      (input, i) => `${JSON.stringify(prediction(input, probabilities[i], classifier.labels))}\n`,
    );
    chunk = [];
    return encoder.encode(lines.join(""));
  };
  for await (const input of inputs) {
    chunk.push(input);
    if (chunk.length === CHUNK) yield await classify();
  }
  if (chunk.length > 0) yield await classify();
}

function prediction({ text, pair }: TextInput, probabilities: Float32Array, labels: readonly string[]) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return {
    text,
    ...(pair === undefined ? {} : { pair }),
    label: labels[best],
    score: probabilities[best],
    scores: Object.fromEntries(labels.map((label, i) => [label, probabilities[i]])),
  };
}
