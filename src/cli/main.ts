#!/usr/bin/env node
import { Command } from "commander";
import { benchCommand } from "./bench.ts";
import { embedCommand } from "./embed.ts";
import { evaluateCommand } from "./evaluate.ts";
import { exitCodeOf, printError } from "./exit.ts";
import { finetuneCommand } from "./finetune.ts";
import { infoCommand } from "./info.ts";
import { predictCommand } from "./predict.ts";
import { prepareCommand } from "./prepare.ts";
import { pretrainCommand } from "./pretrain.ts";
import { sweepCommand } from "./sweep.ts";
import { VERSION } from "./version.ts";
import { vocabCommand } from "./vocab.ts";

const program = new Command("cloze")
  .description("BERT, whole: vocabulary, pre-training, fine-tuning, evaluation, prediction and embeddings.")
  .version(VERSION)
  .showHelpAfterError("(add --help for the options and an example)")
  .exitOverride()
  .configureHelp({ sortSubcommands: false });

for (const command of [
  vocabCommand(),
  prepareCommand(),
  pretrainCommand(),
  finetuneCommand(),
  sweepCommand(),
  evaluateCommand(),
  predictCommand(),
  embedCommand(),
  infoCommand(),
  benchCommand(),
]) {
  program.addCommand(command);
}
inheritSettings(program);

// A reader that leaves early, as `| head` does, ends the program without a complaint.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

function inheritSettings(parent: Command): void {
  for (const command of parent.commands) inheritSettings(command.copyInheritedSettings(parent));
}

try {
  await program.parseAsync();
} catch (error) {
  printError(error);
  process.exitCode = exitCodeOf(error);
}
