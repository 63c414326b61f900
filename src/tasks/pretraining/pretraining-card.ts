import type { BertConfig } from "../../bert/config.ts";
import { figureTable, markdownTable } from "../folder/figure-tables.ts";
import { flatSettings, type PretrainingSettings } from "./pretraining-settings.ts";

export interface PretrainingCard {
  readonly config: BertConfig;
  readonly parameters: number;
  readonly settings: PretrainingSettings;
  /** The preset or the name of the file or folder that the training started from. */
  readonly source: string;
  readonly corpus: { readonly tokens: number; readonly documents: number };
  readonly result: {
    readonly steps: number;
    readonly tokens: number;
    readonly seconds: number;
    readonly metrics: Readonly<Record<string, unknown>> | undefined;
  };
}

/** README.md of a pre-trained model's folder, as model hubs show it. `curves` is the name of the picture beside it. */
export function pretrainingCard(
  { config, parameters, settings, source, corpus, result }: PretrainingCard,
  curves: string,
): string {
  const { layers, hiddenSize, heads, vocabSize } = config;
  const recipe = Object.entries(flatSettings(settings)).map(([name, value]) => [name, String(value)]);
  const count = (value: number) => value.toLocaleString("en");
  const rate = layers < 12 ? " --learning-rate 3e-4" : ""; // the default of `finetune` is for base
  return `---
pipeline_tag: fill-mask
library_name: cloze
tags: [bert]
---

# A pre-trained BERT

BERT with ${layers} layers, ${hiddenSize} wide, ${heads} heads, ${count(parameters)} parameters and a vocabulary of
${count(vocabSize)} tokens, pre-trained with Cloze from \`${source}\`: ${count(result.steps)} updates on
${count(result.tokens)} tokens in ${(result.seconds / 3600).toFixed(2)} hours. The corpus has ${count(corpus.tokens)} tokens in
${count(corpus.documents)} documents.

## Figures on held-out text

${result.metrics === undefined ? "None was given." : figureTable(result.metrics)}

![Masked-LM loss over the updates](${curves})

## Recipe

${markdownTable([["setting", "value"], ...recipe])}

## Use

    cloze predict . --task fill-mask "The capital of France is [MASK]."
    cloze finetune text-classification --model . --train train.tsv${rate} --output my-classifier

\`\`\`ts
import { pipeline } from "cloze";
const fill = await pipeline("fill-mask", "path/to/this/folder");
console.log(await fill("The capital of France is [MASK]."));
\`\`\`
`;
}
