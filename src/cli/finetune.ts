import { Command } from "commander";
import type { FinetuneOptions } from "../tasks/finetuning/finetune-options.node.ts";
import { TASK_NAMES, TASKS, type TaskName } from "../tasks/task-table.node.ts";
import { abortOnInterrupt } from "./exit.ts";
import { formatMetrics } from "./metrics.ts";
import { addRecipeOptions, addTrainingOptions } from "./training-options.ts";
import { TrainingPrinter } from "./training-printer.ts";

export function finetuneCommand(): Command {
  const command = new Command("finetune").description("train a model for a task on labelled examples");
  for (const name of TASK_NAMES) command.addCommand(taskCommand(name));
  const examples = TASK_NAMES.map((name) => `  $ cloze finetune ${TASKS[name].example}\n`);
  return command.addHelpText("after", `\nExamples:\n${examples.join("")}`);
}

function taskCommand(name: TaskName): Command {
  const { summary, example } = TASKS[name];
  return addRecipeOptions(addTrainingOptions(new Command(name).description(summary), name))
    .option("--resume", "continue an interrupted training, bit for bit; begin it where nothing was begun")
    .addHelpText(
      "after",
      `
Example:
  $ cloze finetune ${example}

Ctrl-C writes a checkpoint; so does --checkpoint-every, against kills. The same command with --resume then ends in the
same bytes as if nothing had happened.`,
    )
    .action((options: Options) => run(name, options));
}

type Options = Omit<FinetuneOptions, "onEvent" | "signal"> & { json?: boolean };

async function run(task: TaskName, { json, ...options }: Options) {
  const printer = new TrainingPrinter();
  const result = await TASKS[task]
    .finetune({ ...options, signal: abortOnInterrupt(), onEvent: (event) => printer.print(event) })
    .finally(() => printer.stop());
  if (json) {
    console.log(JSON.stringify(result));
    return;
  }
  if (result.metrics) console.log(formatMetrics(result.metrics, result.labels));
  console.log(`\nThe model is in ${result.output}. Try:\n  cloze predict ${result.output} ${result.usage}`);
}
