/** Every recipe of a grid, ranked; stopped and called again it goes on. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SWEEP_DEFAULTS, type SweepEvent, type SweepOptions } from "../src/tasks/finetuning/sweep.node.ts";
import { sweep } from "../src/tasks/task-table.node.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { examples, writeRows, writeTinyModel } from "./tiny-model.ts";

let folder: string;
let base: Omit<SweepOptions, "output">;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-sweep-"));
  base = {
    model: await writeTinyModel(join(folder, "model")),
    train: writeRows(join(folder, "train.jsonl"), examples(20)),
    dev: writeRows(join(folder, "dev.jsonl"), examples(10, 2)),
    learningRates: [1e-2, 1e-6],
    batchSizes: [5],
    epochCounts: [1, 2],
    seeds: [1, 2],
    threads: 1,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("tries the paper's grid where it is not told another (Devlin et al. 2019, appendix A.3)", async () => {
  const { model, train, dev } = base;
  const controller = new AbortController();
  const begun: SweepEvent[] = [];
  const onEvent = (event: SweepEvent) => {
    begun.push(event);
    controller.abort();
  };
  const options = { model, train, dev, output: join(folder, "paper"), onEvent, signal: controller.signal };
  await expectError(sweep("text-classification", options), "ABORTED");
  expect(begun[0]).toMatchObject({ kind: "run", index: 0, total: 3 * 2 * 3 });
  expect(SWEEP_DEFAULTS).toEqual({
    learningRates: [5e-5, 3e-5, 2e-5],
    batchSizes: [16, 32],
    epochCounts: [2, 3, 4],
    seeds: [42],
  });
});

test("ranks recipes by the mean over seeds, and keeps what has ended", async () => {
  const output = join(folder, "grid");
  const controller = new AbortController();
  const onEvent = (event: SweepEvent) => {
    if (event.kind === "run" && event.index === 3) controller.abort();
  };
  await expectError(sweep("text-classification", { ...base, output, onEvent, signal: controller.signal }), "ABORTED");
  const ended = readdirSync(output).filter((name) => existsSync(join(output, name, "training.json")));
  expect(ended).toHaveLength(3);
  const times = ended.map((name) => statSync(join(output, name, "model.safetensors")).mtimeMs);

  const rows = await sweep("text-classification", { ...base, output });
  expect(ended.map((name) => statSync(join(output, name, "model.safetensors")).mtimeMs)).toEqual(times);
  expect(rows).toHaveLength(4);
  for (const { runs, mean, deviation } of rows) {
    const [a, b] = runs.map(({ score }) => score);
    expect(runs.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(mean).toBeCloseTo((a + b) / 2, 12);
    expect(deviation).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 12);
  }
  expect(rows.map(({ mean }) => mean)).toEqual(rows.map(({ mean }) => mean).sort((a, b) => b - a));
  expect(rows[0].learningRate).toBe(1e-2);
  expect(existsSync(join(rows[0].best, "config.json"))).toBe(true);
});

test("leaves the ranking in its folder once all has ended, for programs and for people", async () => {
  const output = join(folder, "ranking");
  const controller = new AbortController();
  const onEvent = (event: SweepEvent) => {
    if (event.kind === "run" && event.index === 1) controller.abort();
  };
  const grid = { ...base, learningRates: [1e30, 1e-2], epochCounts: [2], warmupRatio: 0, output }; // one breaks down
  await expectError(sweep("text-classification", { ...grid, onEvent, signal: controller.signal }), "ABORTED");
  expect(existsSync(join(output, "sweep.json"))).toBe(false);

  const rows = await sweep("text-classification", grid);
  const { rows: saved, measuredOn } = JSON.parse(readFileSync(join(output, "sweep.json"), "utf8"));
  expect(measuredOn).toBe(base.dev);
  expect(saved).toHaveLength(2);
  expect(saved[0]).toEqual({ ...rows[0], best: basename(rows[0].best) });
  for (const { name, score } of saved[0].runs) {
    const { accuracy } = JSON.parse(readFileSync(join(output, name, "metrics.json"), "utf8"));
    expect(score).toBe(accuracy);
  }
  expect(saved[1]).toMatchObject({ learningRate: 1e30, mean: null, runs: [{ score: null }, { score: null }] });
  const [{ mean, deviation, best }] = rows;
  const report = readFileSync(join(output, "sweep.md"), "utf8");
  expect(report).toContain(`| 0.01 | 5 | 2 | ${mean.toFixed(4)} | ${deviation.toFixed(4)} | 2 |\n| 1e+30 |`);
  expect(report).toContain("| 1e+30 | 5 | 2 | broke down | - | 2 |");
  expect(report).toContain(`\`${basename(best)}\``);
  expect(await sweep("text-classification", grid)).toEqual(rows); // again, with the files there

  const narrower = sweep("text-classification", { ...grid, learningRates: [1e-2] });
  await expectError(narrower, "OUTPUT_NOT_EMPTY", "sweep.json is the ranking of another sweep", "rate-1e+30-batch-5");
  expect(readFileSync(join(output, "sweep.md"), "utf8")).toBe(report);
});

test("divides the training file into folds, each held back once", async () => {
  const held: number[] = [];
  const onEvent = (event: SweepEvent) => {
    if (event.kind === "training" && event.event.kind === "data" && event.event.file.includes("fold"))
      held.push(event.event.examples);
  };
  const one = { learningRates: [1e-3], epochCounts: [1], seeds: [1], dev: undefined };
  const [row] = await sweep("text-classification", {
    ...base,
    ...one,
    folds: 3,
    output: join(folder, "folds"),
    onEvent,
  });
  expect(row.runs.map(({ fold }) => fold)).toEqual([0, 1, 2]);
  expect(held).toEqual([7, 7, 6]);
  const output = join(folder, "none");
  await expectError(
    sweep("text-classification", { ...base, ...one, output }),
    "OPTION_INVALID",
    "--folds; got neither",
  );
  await expectError(sweep("text-classification", { ...base, folds: 5, output }), "OPTION_INVALID", "got both");
  await expectError(sweep("text-classification", { ...base, ...one, folds: 1, output }), "OPTION_INVALID", "folds");
  await expectError(sweep("text-classification", { ...base, seeds: [], output }), "OPTION_INVALID", "nothing to try");
});

test("refuses a value that is there twice, and folds that there cannot be, before a training begins", async () => {
  const output = join(folder, "refused");
  const events: SweepEvent[] = [];
  const refuse = (changes: Partial<SweepOptions>, message: string) => {
    const options = { ...base, ...changes, output, onEvent: (event: SweepEvent) => void events.push(event) };
    return expectError(sweep("text-classification", options), "OPTION_INVALID", message);
  };
  await refuse(
    { learningRates: [1e-3, 1e-4, 0.001] },
    "--learning-rates has a value twice; expected each value once; got 0.001",
  );
  await refuse({ seeds: [1, 1] }, "--seeds");
  await refuse({ batchSizes: [8, 8] }, "--batch-sizes");
  await refuse({ epochCounts: [2, 3, 2] }, "--epochs");
  await refuse({ dev: undefined, folds: 1 }, "expected 2 or more; got 1");
  await refuse({ dev: undefined, folds: 21 }, "2 to 20 of them");
  expect(events).toEqual([]);
});

test("ranks a recipe that breaks down last, and goes on", async () => {
  const grid = { learningRates: [1e30, 1e-3], epochCounts: [2], seeds: [1], warmupRatio: 0 };
  const rows = await sweep("text-classification", { ...base, ...grid, output: join(folder, "broken") });
  expect(rows.map(({ learningRate }) => learningRate)).toEqual([1e-3, 1e30]);
  expect(rows[1].mean).toBeNaN();
});

test("remembers what broke down until its folder is deleted or its settings differ", async () => {
  const output = join(folder, "remembered");
  const updated: string[] = [];
  let name = "";
  const onEvent = (event: SweepEvent) => {
    if (event.kind === "run") name = event.name;
    if (event.kind === "training" && event.event.kind === "step") updated.push(name);
  };
  const grid = { ...base, learningRates: [1e30], epochCounts: [2], warmupRatio: 0, output, onEvent };
  const sweepAgain = async (changes: Partial<SweepOptions> = {}) => {
    updated.length = 0;
    const [row] = await sweep("text-classification", { ...grid, ...changes });
    return { row, trained: [...new Set(updated)].map((name) => /seed-\d/.exec(name)?.[0]) };
  };
  const first = await sweepAgain();
  expect(first.trained).toEqual(["seed-1", "seed-2"]);
  const { rows } = JSON.parse(readFileSync(join(output, "sweep.json"), "utf8"));
  const broken = { score: null, brokenDown: "LOSS_NOT_FINITE" };
  expect(rows[0].runs).toMatchObject([broken, broken]);

  expect(await sweepAgain()).toEqual({ row: first.row, trained: [] });
  rmSync(join(output, first.row.runs[1].name), { recursive: true });
  expect(await sweepAgain()).toEqual({ row: first.row, trained: ["seed-2"] });
  expect((await sweepAgain({ overwrite: true })).trained).toEqual(["seed-1", "seed-2"]);
  expect((await sweepAgain({ clipNorm: 0.5 })).trained).toEqual(["seed-1", "seed-2"]);
});

test("says that there is no model where every recipe breaks down", async () => {
  const { train, dev, model } = base;
  const output = join(folder, "all-broken");
  const files = ["--train", train, "--dev", dev!, "--model", model!, "--output", output, "--threads", "1"];
  const grid = "--learning-rates 1e30,1e31 --batch-sizes 5 --epochs 2 --warmup-ratio 0".split(" ");
  const { code, stdout, stderr } = await cloze(["sweep", "text-classification", ...files, ...grid]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const order = /training 1 of 2.*\nbroke down: [^\n]*\[LOSS_NOT_FINITE\]\n\ntraining 2 of 2.*\nbroke down: /s;
  expect(stderr).toMatch(order); // said when it happens
  for (const told of [stdout, readFileSync(join(output, "sweep.md"), "utf8")]) {
    expect(told).toContain("All trainings broke down, so there is no model.");
    expect(told).not.toContain("The best model is in");
    expect(told).toMatch(/broke down.*\n.*broke down/);
  }
});

test("prints a table", async () => {
  const { train, dev, model } = base;
  const args = ["sweep", "text-classification", "--train", train, "--dev", dev!, "--model", model!, "--threads", "1"];
  const grid = ["--learning-rates", "1e-3", "--batch-sizes", "10", "--epochs", "1,2", "--output", join(folder, "cli")];
  const { code, stdout, stderr } = await cloze([...args, ...grid, "--clip-norm", "0.5"]);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("training 2 of 2: rate-0.001") });
  const trained = readdirSync(join(folder, "cli"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const settings = trained.map(({ parentPath, name }) => {
    return JSON.parse(readFileSync(join(parentPath, name, "training.json"), "utf8")).settings;
  });
  expect(settings).toMatchObject([{ clipNorm: 0.5 }, { clipNorm: 0.5 }]);
  expect(stdout).toMatch(/^rate +batch +epochs +mean score +deviation +trainings\n0\.001 +10 +[12] /);
  expect(stdout).toContain("The best model is in ");
});

test("shows in its help how one recipe is cross-validated", async () => {
  const { stdout } = await cloze(["sweep", "text-classification", "--help"]);
  expect(stdout).toContain("--folds 5 --learning-rates 3e-4 --batch-sizes 16 --epochs 3 --output sweep");
});
