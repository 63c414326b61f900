import { Command, Option } from "commander";
import type { ExecutorOptions } from "../executors/executor.node.ts";
import { inputChunks } from "../tasks/run/input-chunks.ts";
import type { TextInput } from "../tasks/run/text-or-pair.ts";
import { FeatureExtractor } from "../tasks/vectors/feature-extractor.node.ts";
import { POOLINGS, type Pooling } from "../tasks/vectors/pooling.ts";
import {
  EMBEDDING_FORMATS,
  type Embedded,
  type EmbeddingFormat,
  embeddingLines,
  formatOf,
  writeEmbeddings,
} from "./embedding-files.ts";
import { positiveInteger, shared } from "./options.ts";
import { print } from "./standard-output.ts";
import { openTexts, reportCounts, requireOneSource, type TextStream, withProgress } from "./text-stream.ts";

interface Options extends ExecutorOptions {
  input?: string;
  output?: string;
  format?: EmbeddingFormat;
  pooling: Pooling;
  layers: string;
  normalize?: boolean;
  maxLength?: number;
  textColumn?: string;
  pairColumn?: string;
  onEmpty: "refuse" | "skip";
  json?: boolean;
}

export function embedCommand(): Command {
  return new Command("embed")
    .description("turn texts into vectors, the hidden states of a model")
    .argument("<dir>", "model folder of any BERT, with a head or without")
    .argument("[text...]", "texts; with neither texts nor --input, the lines of standard input")
    .option("--input <file>", "plain text (one a line), CSV, TSV, JSON Lines or Parquet, gzipped or not")
    .option("--output <file>", ".jsonl, .npy or .parquet file to write instead of JSON Lines on standard output")
    .addOption(new Option("--format <name>", "format of --output (default: by its name)").choices(EMBEDDING_FORMATS))
    .addOption(new Option("--pooling <how>", "from tokens to a text").choices(POOLINGS).default("mean"))
    .option(
      "--layers <choice>",
      "layers to take, such as 2, -1 or -4..-1 (0: the embeddings); several are joined",
      "-1",
    )
    .option("--normalize", "give each vector the length 1, so that dot products are cosines")
    .addOption(
      new Option("--max-length <n>", "tokens of a text at most (default: as many as the model takes)").argParser(
        positiveInteger,
      ),
    )
    .option("--text-column <name>", 'column of the text (default: "text")')
    .addOption(shared.pairColumn())
    .addOption(shared.onEmpty())
    .addOption(shared.device())
    .addOption(shared.precision("inference"))
    .addOption(shared.threads())
    .addOption(new Option("--json", "with --output: print what was written as JSON"))
    .addHelpText("after", HELP)
    .action(run);
}

const HELP = `
A .npy file has rows alone, in the order of the texts: one for each text that is not empty. Where rows must match the
lines of a file, use --on-empty refuse, or another format, whose rows have their texts beside them.

Examples:
  $ cloze embed model "A sentence" "Another one"
  $ cloze embed model --input mails.jsonl.gz --output mails.parquet --normalize
  $ cloze embed model --input lines.txt --output lines.npy --on-empty refuse --layers -4..-1`;

async function run(folder: string, texts: string[], options: Options, command: Command) {
  const { output, json } = options;
  const format = options.format ?? (output === undefined ? "jsonl" : formatOf(output));
  if (format === undefined) command.error(`error: ${output} ends with no known format; add --format`);
  if (format !== "jsonl" && output === undefined) command.error(`error: the format ${format} needs --output`);
  requireOneSource(texts, options, command);
  const { input, textColumn, pairColumn, onEmpty } = options;
  const stream = openTexts(texts, { input, textColumn, pairColumn, onEmpty });
  const { counts, signal } = stream;
  const { layers, device, precision, threads } = options;
  const extractor = await FeatureExtractor.open(folder, { layers, device, precision, threads });
  const { width } = extractor;
  const pairs = options.pairColumn !== undefined;
  try {
    const chunks = embeddings(extractor, stream, options);
    if (output === undefined) await print(embeddingLines(chunks));
    else await writeEmbeddings(output, withProgress("embedding", chunks, stream), { format, width, pairs });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await extractor.dispose();
  }
  reportCounts(counts);
  if (output === undefined) return;
  if (json) console.log(JSON.stringify({ output, format, ...counts, width }));
  else console.error(`${output}: ${counts.texts} embeddings of ${width} numbers`);
}

async function* embeddings(
  extractor: FeatureExtractor,
  stream: TextStream,
  { pooling, normalize, maxLength }: Pick<Options, "maxLength" | "normalize" | "pooling">,
): AsyncGenerator<Embedded> {
  const { signal } = stream;
  const extract = (texts: readonly TextInput[]) =>
    extractor.pooledFeatures(texts, { pooling, normalize, maxLength }, { signal });
  for await (const { chunk, result } of inputChunks(stream.inputs, extract, stream.counts))
    yield { texts: chunk, vectors: result.data };
}
