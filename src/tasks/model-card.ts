import type { BertConfig } from "../bert/config.ts";
import type { TrainingOptions } from "../train/train.ts";
import { figureTable } from "./figure-table.ts";

export interface ModelCard {
  readonly config: BertConfig;
  readonly labels: readonly string[];
  readonly parameters: number;
  readonly training: TrainingOptions;
  /** The preset or the name of the folder that the weights came from. */
  readonly source: string;
  readonly metrics: Readonly<Record<string, unknown>> | undefined;
}

/** README.md of a model folder, as model hubs show it. */
export function modelCard({ config, labels, parameters, training, source, metrics }: ModelCard): string {
  const { layers, hiddenSize, heads, vocabSize } = config;
  const rows = Object.entries(training).map(([name, value]) => `| ${name} | ${value} |`);
  return `---
pipeline_tag: text-classification
library_name: cloze
tags: [bert]
---

# A text classifier

BERT with ${layers} layers, ${hiddenSize} wide, ${heads} heads, ${parameters.toLocaleString("en")} parameters and a
vocabulary of ${vocabSize.toLocaleString("en")} tokens, fine-tuned with Cloze from \`${source}\` to tell
${labels.map((label) => `\`${label}\``).join(", ")} apart.

## Figures on the development set

${metrics === undefined ? "None was given." : `${figureTable(metrics)}\n\n${labels.length} labels; \`metrics.json\` has the confusion matrix.`}

## Recipe

| setting | value |
|---|---|
${rows.join("\n")}

## Use

    cloze predict . "a text"

\`\`\`ts
import { pipeline } from "cloze";
const classify = await pipeline("text-classification", "path/to/this/folder");
console.log(await classify("a text"));
\`\`\`
`;
}
