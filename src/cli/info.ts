import { Command } from "commander";
import { bertConfigJson } from "../bert/config.ts";
import { sizeOf } from "../graph/parameters.ts";
import { openModelFolder, storedWeights } from "../tasks/folder/model-folder.node.ts";
import { maxLengthOf } from "../tasks/run/max-length.ts";
import { taskOfFolder } from "../tasks/task-table.node.ts";
import { formatTable } from "./metrics.ts";
import { shared } from "./options.ts";
import { formatSystem, inspectSystem } from "./system.ts";

export function infoCommand(): Command {
  return new Command("info")
    .description("print the configuration, the weights and the size of a model, or what this machine computes with")
    .argument("[dir]", "model folder")
    .option("--system", "print processor, executors, and how fast they multiply matrices")
    .addOption(shared.json())
    .addHelpText("after", "\nExamples:\n  $ cloze info model\n  $ cloze info --system")
    .action(run);
}

async function run(path: string | undefined, { system, json }: { system?: true; json?: true }, command: Command) {
  if (path !== undefined && system === undefined) return printModel(path, json);
  if (path === undefined && system) return printSystem(json);
  command.error("error: give either a model folder or --system");
}

async function printSystem(json?: true) {
  const system = await inspectSystem();
  console.log(json ? JSON.stringify(system) : formatSystem(system));
}

async function printModel(path: string, json?: true) {
  const folder = await openModelFolder(path);
  const { config, labels, tokenizer } = folder;
  const task = await taskOfFolder(path);
  const settings = task && folder.taskSettings[task];
  const maxLength = maxLengthOf(folder);
  const weights = await storedWeights(path);
  const parameters = weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const bytes = weights.reduce((sum, weight) => sum + weight.bytes, 0);
  if (json) {
    const vocabulary = tokenizer.vocabulary.size;
    const model = { config: bertConfigJson(config), task, settings, maxLength, labels, vocabulary };
    console.log(JSON.stringify({ ...model, weights, parameters, bytes }));
    return;
  }
  const fields = Object.entries(bertConfigJson(config)).map(([name, value]) => [name, String(value)]);
  if (task !== undefined) fields.push(["task", task]);
  if (settings !== undefined) fields.push(["settings", JSON.stringify(settings)]);
  fields.push(["maximum length", String(maxLength)]);
  if (labels !== undefined) fields.push(["labels", labels.join(", ")]);
  console.log(formatTable(fields));
  const rows = weights.map(({ name, dtype, shape }) => [
    name,
    `${dtype} [${shape.join(", ")}]`,
    sizeOf(shape).toLocaleString("en"),
  ]);
  console.log(`\n${formatTable([["weight", "form", "parameters"], ...rows])}`);
  console.log(`\n${parameters.toLocaleString("en")} parameters, ${(bytes / 1e6).toFixed(1)} MB`);
}
