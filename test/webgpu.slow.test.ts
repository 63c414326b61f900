import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import { type BertConfig, parseBertConfig } from "../src/bert/config.ts";
import { makeOnnxExecutor } from "../src/executors/onnx/executor.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import type { OnnxValue, OpenSession } from "../src/executors/onnx/session.ts";
import { constant } from "../src/graph/build.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { type Executable, type Executor, type LoadOptions, type Value, vector } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import type { Tensor } from "../src/graph/operations.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { sequenceClassification } from "../src/heads/sequence-classification.ts";
import { describeExecutor } from "./executor-contract.ts";
import { relativeError } from "./relative-error.ts";

/**
 * The promise in float32. The software driver stays within 4e-6, but WGSL admits devices whose exp errs by 3 + 2|x| units in
 * the last place and whose tanh errs by 1e-5.
 */
const TOLERANCE = 1e-4;

/** Where Debian's chromium keeps a Vulkan driver in software. The Vulkan loader reads the variable once a process. */
const SOFTWARE_DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
if (existsSync(SOFTWARE_DRIVER)) process.env.VK_ICD_FILENAMES ??= SOFTWARE_DRIVER;
const driver = process.env.VK_ICD_FILENAMES;

const webgpu = onnxExecutor({ device: "webgpu" });

/** Why there is no adapter, if there is none. */
let missing: string | undefined;
/** With its last session, ONNX Runtime drops the device and all compiled shaders: one that stays saves minutes. */
const keeper = await openKeeper();
afterAll(() => keeper?.dispose());

async function openKeeper(): Promise<Executable | undefined> {
  try {
    return await webgpu.load(makeGraph({ y: constant(1) }), new Parameters([]));
  } catch (error) {
    if (driver) throw error; // there is a driver, so the fault is ours
    missing = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}

describe("webgpu", () => {
  if (missing !== undefined) {
    test("all of it", ({ skip }) => skip(missing));
    return;
  }

  describeExecutor("onnx, webgpu", () => webgpu, { tolerance: TOLERANCE });

  describe.each([0, 0.1])("agrees with cpu on BERT with dropout of %s:", (rate) => {
    test("both pre-training heads, loss and every gradient", async () => {
      await compare(withGradients(bothHeads(rate)), PRETRAINING_BATCH);
    });

    test("the classification head, loss and every gradient", async () => {
      await compare(
        withGradients({ ...sequenceClassification(config(rate), { labels: LABELS }) }),
        CLASSIFICATION_BATCH,
      );
    });
  });

  test("agrees with cpu on frozen parameters, which admit more fusions", async () => {
    const { logits } = sequenceClassification(config(0), { labels: LABELS });
    await compare(makeGraph({ logits }), CLASSIFICATION_BATCH, { frozen: true });
  });

  test("leaves indices to the cpu, and no float", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cloze-"));
    try {
      const profiled = makeOnnxExecutor("webgpu, profiled", profiledSessions(join(folder, "profile")));
      await run(profiled, withGradients(bothHeads(0.1)), PRETRAINING_BATCH);
      const [file] = readdirSync(folder);
      const kernels = kernelsOf(readFileSync(join(folder, file), "utf8"));
      expect(kernels.filter(({ provider }) => provider === "WebGpuExecutionProvider").length).toBeGreaterThan(500);
      const onCpu = kernels.filter(({ provider }) => provider !== "WebGpuExecutionProvider");
      expect(onCpu.filter(({ outputs }) => outputs.includes("float")).map(({ op }) => op)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

// --- BERT at the sizes of the golden files: no two axes agree ------------------------------------------

const LABELS = 5;
const LENGTHS = [5, 3, 7, 4, 6, 3, 7, 5, 4, 6, 7, 4, 6];
const TOKENS = 67;
const MASKED = 19;

function config(rate: number): BertConfig {
  const path = join(import.meta.dirname, "fixtures/bert-pretraining.json");
  const file = JSON.parse(readFileSync(path, "utf8"));
  const rates = { hidden_dropout_prob: rate, attention_probs_dropout_prob: rate, classifier_dropout: rate };
  return parseBertConfig({ ...file, ...rates }, path);
}

const random = Random.of("webgpu");

function ids(length: number, below: number): Value {
  return vector(Int32Array.from({ length }, () => random.below(below)));
}

function weights(length: number): Value {
  return vector(Float32Array.from({ length }, () => random.uniform() / length));
}

const TEXTS = { ids: ids(TOKENS, 99), typeIds: ids(TOKENS, 3), lengths: vector(Int32Array.from(LENGTHS)) };

const PRETRAINING_BATCH = {
  ...TEXTS,
  maskedPositions: ids(MASKED, TOKENS),
  maskedLabels: ids(MASKED, 99),
  maskedWeights: weights(MASKED),
  nextSentence: ids(LENGTHS.length, 2),
  nextSentenceWeights: weights(LENGTHS.length),
};

const CLASSIFICATION_BATCH = {
  ...TEXTS,
  labels: ids(LENGTHS.length, LABELS),
  weights: weights(LENGTHS.length),
};

function bothHeads(rate: number) {
  const { masked, nextSentence, loss } = pretraining(config(rate));
  return { maskedLogits: masked.logits, nextSentenceLogits: nextSentence.logits, accuracy: masked.accuracy, loss };
}

/** The outputs, one of which is the loss, and its gradient by every parameter. */
function withGradients(outputs: Readonly<Record<string, Tensor>> & { readonly loss: Tensor }): Graph {
  return makeGraph({ ...outputs, ...parameterGradients(outputs.loss) });
}

async function run(executor: Executor, graph: Graph, batch: Readonly<Record<string, Value>>, options?: LoadOptions) {
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 0.2, 3); // ten times BERT's deviation, lest attention be all but uniform
  const executable = await executor.load(graph, parameters, options);
  const inputs = Object.fromEntries(graph.inputs.map(({ name }) => [name, batch[name]]));
  const values = await executable.run(inputs, { seed: 5 });
  await executable.dispose();
  return values;
}

async function compare(graph: Graph, batch: Readonly<Record<string, Value>>, options?: LoadOptions) {
  const expected = await run(onnxExecutor(), graph, batch, options);
  const actual = await run(webgpu, graph, batch, options);
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(actual[name].shape, name).toEqual(shape);
    // The bias of the keys shifts all logits of a row alike: its true gradient is 0, so what comes is rounding.
    const error = name.endsWith("key.bias")
      ? Math.max(...Array.from(actual[name].data, Math.abs))
      : relativeError(actual[name].data, data);
    expect(error, name).toBeLessThan(TOLERANCE);
  }
}

// --- where each kernel ran ------------------------------------------------------------------------------

/** Sessions on webgpu that write a profile when they are released. */
function profiledSessions(prefix: string): OpenSession {
  return async (model) => {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ["webgpu"],
      logSeverityLevel: 3,
      enableProfiling: true,
      profileFilePrefix: prefix,
    });
    return {
      async run(inputs) {
        const feeds = Object.entries(inputs).map(([name, { type, data, dims }]) => {
          return [name, new ort.Tensor(type, data, dims)] as const;
        });
        const results = await session.run(Object.fromEntries(feeds));
        const values = Object.entries(results).map(([name, { data, dims }]): [string, OnnxValue] => {
          return [name, { type: "float32", data: data as Float32Array, dims }];
        });
        return Object.fromEntries(values);
      },
      async release() {
        session.endProfiling();
        await session.release();
      },
    };
  };
}

interface Kernel {
  readonly op: string;
  readonly provider: string;
  /** Element types of its outputs. */
  readonly outputs: readonly string[];
}

function kernelsOf(profile: string): Kernel[] {
  const events: { name: string; args?: { provider?: string; op_name: string; output_type_shape: object[] } }[] =
    JSON.parse(profile);
  return events.flatMap(({ name, args }) =>
    name.endsWith("_kernel_time") && args?.provider !== undefined
      ? [{ op: args.op_name, provider: args.provider, outputs: args.output_type_shape.flatMap(Object.keys) }]
      : [],
  );
}
