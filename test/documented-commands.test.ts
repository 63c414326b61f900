/** Every command line that the documentation and --help show is one that the program understands. Nothing is run. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const DOCUMENTS = [
  "README.md",
  "bench/README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
/** The files that define a command, by its name. */
const COMMANDS = "vocab prepare pretrain finetune sweep evaluate predict embed export info bench".split(" ");
/** What is nothing against a command within a sentence: only a group of commands is named, or an option without its value. */
const IN_PART = /^$|^commander\.(help|optionMissingArgument)/;
/** What stands for something of the reader's, and such a thing. */
const PLACEHOLDERS = new Map([
  ["<task>", "text-classification"],
  ["i/n", "3/64"],
]);

/** Commands of blocks, with lines that a backslash joins. */
const IN_BLOCKS = /^ *(?:\$ )?(?:npx )?cloze ((?:[^\\\n]|\\\n)*)/gm;
/** Commands within a sentence, which may leave out what goes without saying. */
const INLINE = /`(?:npx )?cloze\s([^`]*)`/g;

/** The words of a command for a shell, up to a comment or to what its output goes to. */
function wordsOf(line: string): string[] {
  const words = line.replaceAll("\\\n", " ").match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? [];
  const end = words.findIndex((word) => /^[#|>&]/.test(word));
  const own = end < 0 ? words : words.slice(0, end);
  return own.map((word) => PLACEHOLDERS.get(word) ?? word.replace(/^(["'])(.*)\1$/s, "$2"));
}

interface ProgramOptions {
  /** Takes the name of each command that would have run. */
  readonly ran?: string[];
  /** Whether arguments and options that a command needs may be missing. Default false. */
  readonly inPart?: boolean;
  readonly write?: (text: string) => void;
}

/** The program as `main.ts` makes it, but that its commands do nothing. */
async function programOf({ ran = [], inPart = false, write = () => {} }: ProgramOptions = {}): Promise<Command> {
  const program = new Command("cloze").exitOverride().configureOutput({ writeOut: write, writeErr: () => {} });
  for (const name of COMMANDS) {
    const defined: Record<string, () => Command> = await import(`../src/cli/${name}.ts`);
    program.addCommand(defined[`${name}Command`]());
  }
  const disarm = (parent: Command) => {
    for (const command of parent.commands) {
      command.copyInheritedSettings(parent);
      for (const option of command.options) option.mandatory &&= !inPart;
      for (const argument of command.registeredArguments) argument.required &&= !inPart;
      if (command.commands.length === 0) command.action(() => void ran.push(command.name()));
      else disarm(command);
    }
  };
  disarm(program);
  return program;
}

/** What the program says against a command line: nothing, or an error's code and message. */
function complaint(program: Command, words: readonly string[]): string {
  try {
    program.parse(words, { from: "user" });
    return "";
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? "" : `${error.code}: ${error.message}`;
  }
}

const commandsIn = (text: string, form: RegExp) => Array.from(text.matchAll(form), ([, line]) => line);
const isWhole = (line: string) => !/\.\.\.(\s|$)/.test(line);

test("a wrong command line is told from a right one", async () => {
  const ran: string[] = [];
  const program = await programOf({ ran });
  expect(complaint(program, wordsOf('predict model "a b" --top-k 3 # as much'))).toBe("");
  expect(ran).toEqual(["predict"]);
  expect(complaint(program, ["predict", "model", "--top", "3"])).toContain("commander.unknownOption");
  expect(complaint(program, ["predict", "--top-k", "3"])).toContain("commander.missingArgument");
  expect(complaint(program, ["predicts"])).toContain("commander.unknownCommand");
  expect(ran).toEqual(["predict"]);
});

describe.each(DOCUMENTS)("%s", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8");

  test("shows commands that are understood", async () => {
    const ran: string[] = [];
    const program = await programOf({ ran });
    const lines = commandsIn(text, IN_BLOCKS).filter(isWhole);
    expect(lines.map((line) => [line, complaint(program, wordsOf(line))])).toEqual(lines.map((line) => [line, ""]));
    expect(ran).toHaveLength(lines.length);
  });

  test("speaks of options that there are", async () => {
    const program = await programOf({ inPart: true });
    const wrong = commandsIn(text, INLINE)
      .map((line) => [line, complaint(program, wordsOf(line.replace(/\.\.\.$/, "")))])
      .filter(([, said]) => !IN_PART.test(said));
    expect(wrong).toEqual([]);
  });
});

test("the documents show many, and main.ts has no other commands", () => {
  const shown = DOCUMENTS.flatMap((name) => commandsIn(readFileSync(join(ROOT, name), "utf8"), IN_BLOCKS));
  expect(shown.length).toBeGreaterThan(40);
  const main = readFileSync(join(ROOT, "src/cli/main.ts"), "utf8");
  expect(Array.from(main.matchAll(/import\("\.\/(\w+)\.ts"\)/g), ([, name]) => name)).toEqual(COMMANDS);
});

test("--help of every command shows commands that are understood", async () => {
  let help = "";
  const program = await programOf({
    write: (text) => {
      help += text;
    },
  });
  const show = (command: Command) => {
    command.outputHelp();
    command.commands.forEach(show);
  };
  show(program);
  const lines = Array.from(help.matchAll(/\$ cloze (.*)$/gm), ([, line]) => line);
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.map((line) => [line, complaint(program, wordsOf(line))])).toEqual(lines.map((line) => [line, ""]));
});
