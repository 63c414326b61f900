import { Command } from "commander";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import { type ReadOptions, readLabelledTexts } from "../tasks/labelled-texts.node.ts";
import { TextClassifier } from "../tasks/text-classifier.node.ts";
import { abortOnInterrupt } from "./exit.ts";
import { formatMetrics } from "./metrics.ts";
import { shared } from "./options.ts";
import { showProgress } from "./progress.ts";

export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("measure a model on labelled text")
    .argument("<dir>", "model folder")
    .requiredOption("--data <file>", "CSV, TSV, JSON Lines or Parquet, gzipped or not")
    .addOption(shared.textColumn())
    .addOption(shared.pairColumn())
    .addOption(shared.labelColumn())
    .addOption(shared.onEmpty())
    .addOption(shared.device())
    .addOption(shared.threads())
    .addOption(shared.json())
    .addHelpText("after", "\nExample:\n  $ cloze evaluate model --data test.tsv --text-column sentence")
    .action(run);
}

async function run(folder: string, options: ReadOptions & OnnxOptions & { data: string; json?: boolean }) {
  const classifier = await TextClassifier.open(folder, options);
  try {
    const texts = await readLabelledTexts(options.data, options);
    if (texts.skipped > 0) console.error(`${options.data}: ${texts.skipped} rows without text or label skipped`);
    const progress = showProgress("evaluating", texts.examples.length);
    const { evaluation, truncated } = await classifier
      .evaluate(texts, { signal: abortOnInterrupt(), onProgress: ({ done }) => progress.update(done, "texts") })
      .finally(() => progress.stop());
    if (truncated > 0) console.error(`${options.data}: ${truncated} texts longer than the maximum length, cut`);
    const { labels } = classifier;
    if (options.json) {
      console.log(JSON.stringify({ labels, skipped: texts.skipped, truncated, ...evaluation.metrics }));
    } else {
      console.log(formatMetrics(evaluation.metrics, labels));
    }
  } finally {
    await classifier.dispose();
  }
}
