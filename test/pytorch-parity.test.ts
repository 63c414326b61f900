import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bert, bertInputs, pooler } from "../src/bert/bert.ts";
import { type BertConfig, parseBertConfig } from "../src/bert/config.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import { parseSafetensors, type Safetensors, toFloat32 } from "../src/formats/safetensors.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import type { Executor, Value } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import type { Tensor } from "../src/graph/operations.ts";
import { Parameters, sizeOf } from "../src/graph/parameters.ts";
import { multipleChoice } from "../src/heads/multiple-choice.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { questionAnswering } from "../src/heads/question-answering.ts";
import { sequenceClassification } from "../src/heads/sequence-classification.ts";
import { tokenClassification } from "../src/heads/token-classification.ts";
import { describeNative, forEachSet, nativeOn } from "./native-kernels.ts";
import { relativeError } from "./relative-error.ts";

/** The promise is 1e-4 in float32; what comes is better, so a lapse shows early. */
const TOLERANCE = 1e-5;

/** Heads on the BERT and the batch of `bert-heads`: the graph for the head's number of labels, and what it reads. */
const HEADS: readonly {
  readonly file: string;
  readonly head: (config: BertConfig, labels: number) => { logits: Tensor; loss: Tensor };
  readonly inputs: (fixture: Safetensors) => Record<string, Value>;
}[] = [
  {
    file: "bert-token-classification",
    head: (config, labels) => tokenClassification(config, { labels }),
    inputs: (fixture) => ({
      labels: integers(fixture, "input.labels"),
      weights: numbers(fixture, "input.weights"),
    }),
  },
  {
    file: "bert-question-answering",
    head: (config) => questionAnswering(config),
    inputs: (fixture) => ({
      answers: integers(fixture, "input.answers"),
      weights: mean(fixture, "input.answers"),
    }),
  },
  {
    file: "bert-multiple-choice",
    head: (config) => multipleChoice(config),
    inputs: (fixture) => ({
      choices: integers(fixture, "input.choices"),
      labels: integers(fixture, "input.labels"),
      weights: mean(fixture, "input.labels"),
    }),
  },
  {
    file: "bert-multi-label",
    head: (config, labels) => sequenceClassification(config, { labels, problem: "multi_label_classification" }),
    inputs: (fixture) => ({
      targets: numbers(fixture, "input.targets"),
      weights: mean(fixture, "input.targets", 2),
    }),
  },
  {
    file: "bert-regression",
    head: (config, labels) => sequenceClassification(config, { labels, problem: "regression" }),
    inputs: (fixture) => ({
      targets: numbers(fixture, "input.targets"),
      weights: mean(fixture, "input.targets"),
    }),
  },
];

describeParity("reference", referenceExecutor);
describeParity("onnx", onnxExecutor());
describeNative("the native executor", (addon) => {
  forEachSet(addon, (set) => describeParity(`native, ${set.name}`, nativeOn(set)));
});

function describeParity(name: string, executor: Executor): void {
  describe(`${name} against PyTorch`, () => defineParity(executor));
}

function defineParity(executor: Executor): void {
  it("BertForPreTraining: values, loss and every gradient", async () => {
    const fixture = open("bert-pretraining");
    const { masked, nextSentence, loss } = pretraining(readConfig("bert-pretraining"));
    await compare(
      executor,
      fixture,
      { maskedLogits: masked.logits, nextSentenceLogits: nextSentence.logits, loss },
      {
        ...texts(fixture),
        maskedPositions: integers(fixture, "input.maskedPositions"),
        maskedLabels: integers(fixture, "input.maskedLabels"),
        maskedWeights: mean(fixture, "input.maskedLabels"),
        nextSentence: integers(fixture, "input.nextSentence"),
        nextSentenceWeights: mean(fixture, "input.nextSentence"),
      },
    );
  });

  it("BertForSequenceClassification: values, loss and every gradient", async () => {
    const fixture = open("bert-classification");
    const labels = fixture.tensors.get("classifier.bias")!.shape[0];
    const { logits, loss } = sequenceClassification(readConfig("bert-classification"), { labels });
    await compare(
      executor,
      fixture,
      { logits, loss },
      {
        ...texts(fixture),
        labels: integers(fixture, "input.labels"),
        weights: mean(fixture, "input.labels"),
      },
    );
  });

  it.each(HEADS)("$file: values, loss and every gradient", async ({ file, head, inputs }) => {
    const shared = open("bert-heads");
    const own = open(file);
    const fixture = { ...own, tensors: new Map([...shared.tensors, ...own.tensors]) };
    const [, labels] = own.tensors.get("output.logits")!.shape;
    const { logits, loss } = head(readConfig(file), labels);
    await compare(executor, fixture, { logits, loss }, { ...texts(fixture), ...inputs(fixture) });
  });

  it("the hidden states of every layer and the pooled output", async () => {
    const fixture = open("bert-classification");
    const config = readConfig("bert-classification");
    const inputs = bertInputs();
    const outputs = bert(config, inputs);
    const states = Object.fromEntries(outputs.hiddenStates.map((state, layer) => [`hidden.${layer}`, state]));
    const pooled = pooler(config, outputs, inputs.lengths);
    await compare(executor, fixture, { ...states, pooled }, texts(fixture));
  });

  it.each(["relu", "gelu_new", "silu"])("the activation %s, with another epsilon", async (kind) => {
    const fixture = open("bert-activations");
    const { hidden } = bert(readConfig("bert-activations", kind), bertInputs());
    const graph = makeGraph({ hidden });
    const result = await run(executor, graph, fixture, texts(fixture));
    expect(relativeError(result.hidden!.data, floats(fixture, `output.${kind}.hidden`))).toBeLessThan(TOLERANCE);
  });
}

/** Runs outputs, and the gradients of all parameters where there is a loss, and compares each with the fixture. */
async function compare(
  executor: Executor,
  fixture: Safetensors,
  outputs: Readonly<Record<string, Tensor>>,
  inputs: Readonly<Record<string, Value>>,
) {
  const gradients = outputs.loss === undefined ? {} : gradientsOf(outputs.loss);
  const results = await run(executor, makeGraph({ ...outputs, ...gradients }), fixture, inputs);
  for (const name of Object.keys(outputs)) {
    expect(relativeError(results[name].data, floats(fixture, `output.${name}`)), name).toBeLessThan(TOLERANCE);
  }
  const stored = [...fixture.tensors.keys()].filter((name) => name.startsWith("gradient."));
  if (outputs.loss !== undefined) expect(Object.keys(gradients).sort()).toEqual(stored.sort());
  for (const name of Object.keys(gradients)) {
    const expected = floats(fixture, name);
    // A bias that shifts all logits of a softmax alike, as the keys' does, has a true gradient of 0: what comes is rounding.
    const error = expected.every((value) => value === 0)
      ? Math.max(...Array.from(results[name].data, Math.abs))
      : relativeError(results[name].data, expected);
    expect(error, name).toBeLessThan(TOLERANCE);
  }
}

function gradientsOf(loss: Tensor): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(parameterGradients(loss)).map(([name, tensor]) => [`gradient.${name}`, tensor]),
  );
}

async function run(executor: Executor, graph: Graph, fixture: Safetensors, inputs: Readonly<Record<string, Value>>) {
  const parameters = new Parameters(graph.parameters);
  for (const { spec, data } of parameters.views) data.set(floats(fixture, spec.name));
  const executable = await executor.load(graph, parameters);
  try {
    return await executable.run(inputs);
  } finally {
    await executable.dispose();
  }
}

function texts(fixture: Safetensors) {
  return {
    ids: integers(fixture, "input.ids"),
    typeIds: integers(fixture, "input.segments"),
    lengths: integers(fixture, "input.lengths"),
  };
}

function open(name: string): Safetensors {
  return parseSafetensors(readFileSync(join(import.meta.dirname, "fixtures", `${name}.safetensors`)));
}

function readConfig(name: string, key?: string): BertConfig {
  const json = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", `${name}.json`), "utf8"));
  return parseBertConfig(key === undefined ? json : json[key], name);
}

function floats(fixture: Safetensors, name: string): Float32Array {
  return toFloat32(fixture.tensors.get(name)!);
}

function integers(fixture: Safetensors, name: string): Value {
  const { data, shape } = fixture.tensors.get(name)!;
  return { data: new Int32Array(Uint8Array.from(data).buffer), shape };
}

function numbers(fixture: Safetensors, name: string): Value {
  return { data: floats(fixture, name), shape: fixture.tensors.get(name)!.shape };
}

/** Weights, by default one a row, that make the loss over these labels or targets a mean. */
function mean(fixture: Safetensors, labels: string, rank = 1): Value {
  const { shape } = fixture.tensors.get(labels)!;
  const ofWeights = shape.slice(0, rank);
  return { data: new Float32Array(sizeOf(ofWeights)).fill(1 / sizeOf(shape)), shape: ofWeights };
}
