import { Command, Option } from "commander";
import { findSources } from "../corpus/sources.node.ts";
import { claimFolder } from "../tasks/folder/output-folder.node.ts";
import { readTexts } from "../tasks/readers/inputs.node.ts";
import { saveTokenizer } from "../tokenizer/folder.node.ts";
import { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { trainVocabulary } from "../tokenizer/train-vocabulary.ts";
import { showCount } from "./count.ts";
import { abortOnInterrupt } from "./exit.ts";
import { positiveInteger, shared } from "./options.ts";
import { type Progress, showProgress } from "./progress.ts";

interface Options {
  size: number;
  output: string;
  overwrite?: boolean;
  cased: boolean;
  minFrequency: number;
  textColumn: string;
  json?: boolean;
}

export function vocabCommand(): Command {
  return new Command("vocab")
    .description("train a WordPiece vocabulary from text files")
    .argument(
      "<source...>",
      "files, folders or quoted patterns: plain text, CSV, TSV, JSON Lines or Parquet, gzipped or not",
    )
    .addOption(new Option("--size <n>", "tokens of the vocabulary").argParser(positiveInteger).default(30522))
    .requiredOption("--output <dir>", "folder for vocab.txt, tokenizer.json and tokenizer_config.json")
    .option("--overwrite", "write into a folder that holds something already")
    .option("--cased", "keep case and accents", false)
    .addOption(
      new Option("--min-frequency <n>", "how often two tokens must adjoin to be joined")
        .argParser(positiveInteger)
        .default(2),
    )
    .addOption(shared.textColumn())
    .addOption(shared.json())
    .addHelpText("after", "\nExample:\n  $ cloze vocab book.txt mails.jsonl.gz --size 8000 --output vocab")
    .action(run);
}

async function run(sources: string[], { size, output, overwrite, cased, minFrequency, textColumn, json }: Options) {
  await claimFolder(output, { overwrite });
  const files = (await findSources(sources)).map(({ path }) => path);
  const reading = showCount("reading", "words");
  let merging: Progress | undefined;
  const { tokens, words, distinctWords } = await trainVocabulary(readTexts(files, textColumn), {
    size,
    minFrequency,
    lowercase: !cased,
    signal: abortOnInterrupt(),
    onProgress(event) {
      if (event.stage === "count") return reading.update(event.words);
      if (merging === undefined) {
        reading.stop();
        merging = showProgress("merging", size, event.tokens);
      }
      merging.update(event.tokens, "tokens");
    },
  }).finally(() => (merging ?? reading).stop());
  await saveTokenizer(BertTokenizer.fromVocabulary(tokens, { lowercase: !cased }), output);
  const result = { output, tokens: tokens.length, words, distinctWords };
  if (json) console.log(JSON.stringify(result));
  else console.log(`${output}: ${tokens.length} tokens from ${words} words, ${distinctWords} of them different`);
}
