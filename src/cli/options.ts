import { InvalidArgumentError, Option } from "commander";
import { DEVICES, PRECISIONS, type Use } from "../executors/executor.node.ts";

/** Parsers of option values; what they throw becomes a usage error, exit code 2. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("Give a whole number above 0.");
  return value;
}

export function nonNegativeInteger(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("Give a whole number, 0 or more.");
  }
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}

export function nonNegativeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0) || !Number.isFinite(value)) {
    throw new InvalidArgumentError("Give a number, 0 or more.");
  }
  return value;
}

export function anyNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Give a number.");
  return value;
}

export function ratio(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) throw new InvalidArgumentError("Give a number from 0 to 1.");
  return value;
}

export function commaSeparated(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  const empty = parts.indexOf("");
  if (empty >= 0) {
    throw new InvalidArgumentError(`Word ${empty + 1} of "${text}" is empty; give words with commas between them.`);
  }
  return parts;
}

/** An option with a number, and maybe a default. */
export function numberOption(flags: string, text: string, parse: (text: string) => number, value?: number): Option {
  const option = new Option(flags, text).argParser(parse);
  return value === undefined ? option : option.default(value);
}

/** An option with a few values, and maybe a default. */
export function choiceOption(flags: string, text: string, choices: readonly string[], value?: string): Option {
  const option = new Option(flags, text).choices(choices);
  return value === undefined ? option : option.default(value);
}

/** Options that several commands share. */
export const shared = {
  device: () =>
    new Option(
      "--device <name>",
      "cpu: Cloze's own kernels, without them ONNX Runtime; onnx: ONNX Runtime; webgpu: a GPU; auto: webgpu if there is one, else cpu",
    )
      .choices(DEVICES)
      .default("cpu"),
  precision: (use: Use) =>
    new Option(
      "--precision <name>",
      use === "training"
        ? "numbers of matrix products on the processor; auto: bf16 where it has AVX512-BF16, else fp32"
        : "numbers of matrix products on the processor; auto: fp32; bf16 wants AVX512-BF16, int8 AVX512-VNNI",
    )
      .choices(PRECISIONS[use])
      .default("auto"),
  threads: () => new Option("--threads <n>", "processor threads (default: all)").argParser(positiveInteger),
  recompute: () =>
    new Option("--recompute", "compute activations again rather than keep them: same result, less memory, more time"),
  json: () => new Option("--json", "print the result as JSON"),
  textColumn: () => new Option("--text-column <name>", "column of the text").default("text"),
  pairColumn: () => new Option("--pair-column <name>", "column of the second text, where texts are pairs"),
  onEmpty: () =>
    new Option("--on-empty <what>", "a row without text: leave it out and count it, or stop")
      .choices(["skip", "refuse"])
      .default("skip"),
};
