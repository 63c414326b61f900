import { Command, Option } from "commander";
import { type ExportNativeOptions, exportNative } from "../tasks/export-native.node.ts";
import { shared } from "./options.ts";

interface Options extends ExportNativeOptions {
  json?: true;
}

export function exportCommand(): Command {
  return new Command("export")
    .description(
      "write a model folder with its weights packed for this processor: it opens at once, for inference alone",
    )
    .argument("<dir>", "model folder")
    .addOption(
      new Option("--format <name>", "native: for Cloze's own kernels, on processors of this kind")
        .choices(["native"])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--precision <name>", "numbers of matrix products; int8 needs AVX512-VNNI, bf16 AVX512-BF16")
        .choices(["fp32", "bf16", "int8"])
        .makeOptionMandatory(),
    )
    .addOption(new Option("--output <dir>", "folder for the result, new or empty").makeOptionMandatory())
    .addOption(shared.json())
    .addHelpText(
      "after",
      `
Examples:
  $ cloze export model --format native --precision int8 --output model-int8
  $ cloze predict model-int8 "Win a prize now!"
  $ cloze evaluate model-int8 --data test.tsv

The weights lie in native.safetensors as the kernels read them. Opening the folder maps the file into memory: packed weights
are read when they are first used, the others (float32) once, to check them; nothing is packed again, and processes that use
one folder share its memory.`,
    )
    .action(async (folder: string, { output, precision, json }: Options) => {
      const { bytes } = await exportNative(folder, { output, precision });
      if (json) console.log(JSON.stringify({ output, precision, bytes }));
      else console.log(`${output}: weights packed for ${precision}, ${(bytes / 1e6).toFixed(1)} MB`);
    });
}
