/** The library as programs import it: `pipeline` from "cloze", as it was built. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline, type TextClassificationPipeline } from "cloze";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// As built: a thread runs JavaScript.
import { workerSessions } from "../dist/executors/onnx/worker.node.js";
import type { ExecutorOptions } from "../src/executors/executor.node.ts";
import { hasAddon } from "../src/executors/native/addon.node.ts";
import { compileOnnx } from "../src/executors/onnx/compile.ts";
import { constant } from "../src/graph/build.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { expectError } from "./expect-error.ts";
import { examples, writeTinyModel } from "./tiny-model.ts";

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-pipeline-"));
  model = await writeTinyModel(join(folder, "model"), { labels: ["bad", "fair", "good"] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const texts = examples(40).map(({ text }) => text);

describe.each([
  { device: "cpu" },
  { device: "onnx", worker: false },
  { device: "onnx", worker: true },
] as const)("a pipeline with %j", (options) => {
  let classify: TextClassificationPipeline;
  beforeAll(async () => {
    classify = await pipeline("text-classification", model, { ...options, threads: 1 });
  });

  test("gives the best label of a text, or top_k of them, best first", async () => {
    const all = await classify("a good day", { top_k: null });
    expect(all.map(({ label }) => label).toSorted()).toEqual(classify.labels);
    expect(all.map(({ score }) => score)).toEqual(all.map(({ score }) => score).toSorted((a, b) => b - a));
    expect(all.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
    expect(await classify("a good day")).toEqual(all.slice(0, 1));
    expect(await classify("a good day", { top_k: 2 })).toEqual(all.slice(0, 2));
    expect(await classify("a good day", { top_k: 9 })).toEqual(all);
  });

  test.each([-1, 0, 1.5, Number.NaN])("refuses a top_k of %d", async (top_k) => {
    await expectError(classify("a good day", { top_k }), "OPTION_INVALID", "top_k", `got ${top_k}`);
  });

  test("gives for a list what it gives for each text alone, in the list's order", async () => {
    const alone = [];
    for (const text of texts) alone.push(await classify(text, { top_k: null }));
    expect(await classify(texts, { top_k: null })).toEqual(alone);
    expect(await classify(texts)).toEqual(alone.map(([best]) => best));
    expect(await classify([])).toEqual([]);
    expect(new Set(alone.map(([best]) => best!.label)).size).toBeGreaterThan(1);
  });

  test("takes pairs, whose order matters", async () => {
    const pair = { text: "a good day", text_pair: "a bad night" };
    const turned = { text: pair.text_pair, text_pair: pair.text };
    const [both] = await classify([pair], { top_k: null });
    expect(await classify(pair, { top_k: null })).toEqual(both);
    expect(await classify({ text: pair.text })).toEqual(await classify(pair.text));
    for (const other of [turned, pair.text]) expect(await classify(other, { top_k: null })).not.toEqual(both);
  });

  test("reports its progress, and stops between batches when it is told to", async () => {
    const many = Array.from({ length: 600 }, (_, i) => texts[i % texts.length]);
    const controller = new AbortController();
    const seen: number[] = [];
    const stopped = classify(many, {
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        expect(total).toBe(600);
        seen.push(done);
        if (done > 500) controller.abort(new Error("enough"));
      },
    });
    await expect(stopped).rejects.toThrow("enough");
    expect(seen).toEqual([256, 512]);
    expect(await classify(many, { onProgress: ({ done }) => seen.push(done) })).toHaveLength(600);
    expect(seen).toEqual([256, 512, 256, 512, 600]);
    await expect(classify("x", { signal: AbortSignal.abort() })).rejects.toThrow(DOMException);
  });

  test("answers calls that overlap", async () => {
    const [all, ...single] = await Promise.all([classify(texts), ...texts.map((text) => classify(text))]);
    expect(single.flat()).toEqual(all);
  });

  test("is of no use after dispose, which may be called again", async () => {
    await classify.dispose();
    await classify.dispose();
    await expect(classify("x")).rejects.toMatchObject({ code: "DISPOSED" });
  });
});

test("a worker that has ended refuses at once what it is asked", async () => {
  const { bytes } = compileOnnx(makeGraph({ y: constant(1) }));
  const session = await workerSessions({ threads: 1 })(bytes);
  await session.release();
  await expect(session.run({}, {})).rejects.toMatchObject({ code: "INTERNAL" });
});

describe("while a run computes", () => {
  let wide: string;
  beforeAll(async () => {
    const config = { hidden_size: 256, intermediate_size: 1024, num_hidden_layers: 12 };
    wide = await writeTinyModel(join(folder, "wide"), { config });
  });

  /** How often the event loop comes around during a run of half a second or more. */
  async function turnsDuring(options: ExecutorOptions): Promise<number> {
    const classify = await pipeline("text-classification", wide, { ...options, threads: 1 });
    const batch = new Array(32).fill("good ".repeat(126)); // one batch, without a pause between batches
    await classify("good");
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    await classify(batch);
    clearInterval(clock);
    await classify.dispose();
    return turns;
  }

  test("a worker leaves the event loop free", async () => {
    expect(await turnsDuring({ device: "onnx", worker: true })).toBeGreaterThanOrEqual(5);
    // What the loop has before the run and after it.
    expect(await turnsDuring({ device: "onnx", worker: false })).toBeLessThan(5);
  });

  test("the native kernels leave it free without a worker", async ({ skip }) => {
    if (!hasAddon()) skip("the native kernels were not built");
    expect(await turnsDuring({ device: "cpu" })).toBeGreaterThanOrEqual(5);
  });
});
