import { Command, Option } from "commander";
import { readTexts } from "../tasks/inputs.node.ts";
import { saveTokenizer } from "../tokenizer/folder.node.ts";
import { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { trainVocabulary } from "../tokenizer/train-vocabulary.ts";
import { abortOnInterrupt } from "./exit.ts";
import { positiveInteger, shared } from "./options.ts";
import { showProgress } from "./progress.ts";

interface Options {
  size: number;
  output: string;
  cased: boolean;
  minFrequency: number;
  textColumn: string;
  json?: boolean;
}

export function vocabCommand(): Command {
  return new Command("vocab")
    .description("train a WordPiece vocabulary from text files")
    .argument("<file...>", "plain text, CSV, TSV, JSON Lines or Parquet, gzipped or not")
    .addOption(new Option("--size <n>", "tokens of the vocabulary").argParser(positiveInteger).default(30522))
    .requiredOption("--output <dir>", "folder for vocab.txt, tokenizer.json and tokenizer_config.json")
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

async function run(files: string[], { size, output, cased, minFrequency, textColumn, json }: Options) {
  const progress = showProgress("merging", size);
  const { tokens, words, distinctWords } = await trainVocabulary(readTexts(files, textColumn), {
    size,
    minFrequency,
    lowercase: !cased,
    signal: abortOnInterrupt(),
    onProgress(event) {
      if (event.stage === "merge") progress.update(event.tokens, "tokens");
      else progress.update(0, `${event.words.toLocaleString("en")} words read`);
    },
  }).finally(() => progress.stop());
  await saveTokenizer(BertTokenizer.fromVocabulary(tokens, { lowercase: !cased }), output);
  const result = { output, tokens: tokens.length, words, distinctWords };
  if (json) console.log(JSON.stringify(result));
  else console.log(`${output}: ${tokens.length} tokens from ${words} words, ${distinctWords} of them different`);
}
