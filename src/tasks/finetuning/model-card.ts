import type { BertConfig } from "../../bert/config.ts";
import type { TrainingOptions } from "../../train/train.ts";
import { figureTable, markdownTable, scoreRows } from "../folder/figure-tables.ts";

export interface ModelCard {
  readonly task: { readonly name: string; readonly summary: string; readonly hubTag?: string };
  /** What follows `cloze predict DIR`. */
  readonly usage: string;
  readonly config: BertConfig;
  readonly labels: readonly string[];
  readonly parameters: number;
  readonly training: TrainingOptions;
  readonly maxLength: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The preset or the name of the folder that the weights came from. */
  readonly source: string;
  readonly metrics: Readonly<Record<string, unknown>> | undefined;
  /** Files of pictures beside the card, by what they show. */
  readonly pictures: Readonly<Record<string, string>>;
}

/** README.md of a model folder, as model hubs show it. */
export function modelCard(card: ModelCard): string {
  const { task, config, labels, usage, parameters, training, source, metrics, pictures } = card;
  const { layers, hiddenSize, heads, vocabSize } = config;
  const recipe = Object.entries({ ...training, maxLength: card.maxLength, ...card.settings }).flatMap(
    ([name, value]) => (value === undefined ? [] : [[name, String(value)]]),
  );
  return `---
pipeline_tag: ${task.hubTag ?? task.name}
library_name: cloze
tags: [bert]
---

# A model for ${task.name}

${task.summary[0].toUpperCase()}${task.summary.slice(1)}: BERT with ${layers} layers, ${hiddenSize} wide, ${heads} heads,
${parameters.toLocaleString("en")} parameters and a vocabulary of ${vocabSize.toLocaleString("en")} tokens, fine-tuned with Cloze from
\`${source}\`.${labels.length > 0 ? ` Labels: ${labels.map((label) => `\`${label}\``).join(", ")}.` : ""}

## Figures on the development set

${metrics === undefined ? "None was given." : `${figuresOf(metrics, labels)}\n\n\`metrics.json\` has all of them.`}

${Object.entries(pictures)
  .map(([title, file]) => `![${title}](${file})`)
  .join("\n\n")}

## Recipe

${markdownTable([["setting", "value"], ...recipe])}

## Use

    cloze predict . ${usage}
    cloze evaluate . --help
`;
}

function figuresOf(metrics: NonNullable<ModelCard["metrics"]>, labels: readonly string[]): string {
  const scores = scoreRows(metrics, labels);
  return scores === undefined ? figureTable(metrics) : `${figureTable(metrics)}\n\n${markdownTable(scores)}`;
}
