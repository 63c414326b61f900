#!/usr/bin/env node
import { Command } from "commander";
import { exitCodeOf, printError } from "./exit.ts";
import { VERSION } from "./version.ts";

/** To load all of them takes longer than a prediction, so each is loaded when it is asked for, or where all are listed. */
const COMMANDS = {
  vocab: async () => (await import("./vocab.ts")).vocabCommand(),
  prepare: async () => (await import("./prepare.ts")).prepareCommand(),
  pretrain: async () => (await import("./pretrain.ts")).pretrainCommand(),
  finetune: async () => (await import("./finetune.ts")).finetuneCommand(),
  sweep: async () => (await import("./sweep.ts")).sweepCommand(),
  evaluate: async () => (await import("./evaluate.ts")).evaluateCommand(),
  predict: async () => (await import("./predict.ts")).predictCommand(),
  embed: async () => (await import("./embed.ts")).embedCommand(),
  export: async () => (await import("./export.ts")).exportCommand(),
  info: async () => (await import("./info.ts")).infoCommand(),
  bench: async () => (await import("./bench.ts")).benchCommand(),
};

const NAMES = Object.keys(COMMANDS) as readonly (keyof typeof COMMANDS)[];

/** The command that the command line begins with, or else all. */
function named(): readonly (keyof typeof COMMANDS)[] {
  const asked = NAMES.filter((name) => name === process.argv[2]);
  return asked.length > 0 ? asked : NAMES;
}

const program = new Command("cloze")
  .description("BERT, whole: vocabulary, pre-training, fine-tuning, evaluation, prediction and embeddings.")
  .version(VERSION)
  .showHelpAfterError("(add --help for the options and an example)")
  .exitOverride()
  .configureHelp({ sortSubcommands: false });

for (const command of await Promise.all(named().map((name) => COMMANDS[name]()))) program.addCommand(command);
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
  printError(error, program);
  process.exitCode = exitCodeOf(error);
}
