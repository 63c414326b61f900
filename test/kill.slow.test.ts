/** The command line, killed at random moments and resumed, ends in the same bytes as if it had been left alone. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import { cloze, type Run } from "./command-line.ts";
import { examples, writeRows, writeTinyModel } from "./tiny-model.ts";
import { begins, filesOf, logOf } from "./training-files.ts";

let folder: string;
let args: string[];
/** Milliseconds of a whole training, without the start of the program. */
let duration: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-kill-"));
  const model = await writeTinyModel(join(folder, "model"));
  const train = writeRows(join(folder, "train.jsonl"), examples(60));
  const dev = writeRows(join(folder, "dev.jsonl"), examples(20, 2));
  const recipe = "--epochs 10 --batch-size 6 --accumulate 2 --learning-rate 1e-3 --threads 1";
  args = ["finetune", "text-classification", "--model", model, "--train", train, "--dev", dev, ...recipe.split(" ")];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (output: string, ...more: string[]): Run => cloze([...args, "--output", output, ...more]);

/** The files that must be the same wherever a training was stopped: a stop between checkpoints is a point more in the log. */
const modelOf = (output: string) => filesOf(output, { without: ["curves.svg"] });

/** Waits until a training has left a whole checkpoint. */
async function firstCheckpoint(output: string): Promise<void> {
  const checkpoints = join(output, "checkpoints");
  while (!(existsSync(checkpoints) && readdirSync(checkpoints).some((name) => /^step-\d+$/.test(name)))) await sleep(5);
}

async function killLater(run: Run, { begun, delay }: { begun: boolean; delay: number }): Promise<void> {
  if (begun) await begins(run);
  await sleep(delay);
  run.child.kill("SIGKILL");
}

describe.each([1, 2])("with a checkpoint every %i steps", (every) => {
  const options = ["--checkpoint-every", String(every)];
  let undisturbed: string;
  beforeAll(async () => {
    undisturbed = join(folder, `undisturbed-${every}`);
    const run = start(undisturbed, ...options);
    await begins(run);
    const begun = Date.now();
    expect(await run).toMatchObject({ code: 0 });
    duration = Date.now() - begun;
  });

  test("ten kills, wherever they hit", async () => {
    const seed = Date.now();
    console.log(`kills of seed ${seed}`);
    const random = Random.of(seed);
    const fates: string[] = [];
    for (let kills = 0; kills < 10; ) {
      const output = join(folder, `killed-${every}-${kills}`);
      for (let ended = false; !ended; ) {
        const run = start(output, "--resume", ...options);
        const begun = random.below(5) > 0; // else the kill may hit before the training begins
        const delay = random.uniform() * (begun ? duration / 4 : 400);
        if (kills < 10) killLater(run, { begun, delay });
        const { code, signal, stderr } = await run;
        const place = /resuming after step \d+|no checkpoint/.exec(stderr)?.[0] ?? "at the start";
        fates.push(`${place}, ${Math.round(delay)} ms: ${signal ?? `exit ${code}`}`);
        if (signal === "SIGKILL") kills++;
        else expect({ code, stderr }).toMatchObject({ code: 0 });
        ended = code === 0;
      }
      expect(filesOf(output)).toEqual(filesOf(undisturbed));
      expect(logOf(output)).toEqual(logOf(undisturbed));
    }
    console.log(fates.join("\n"));
    expect(fates.filter((fate) => /^resuming after step [1-9]/.test(fate)).length).toBeGreaterThan(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s writes a checkpoint and says how to resume", async (signal) => {
    const output = join(folder, `${signal}-${every}`);
    const run = start(output, ...options);
    await firstCheckpoint(output);
    run.child.kill(signal);
    const stopped = await run;
    expect(stopped).toMatchObject({ code: 1, signal: null, stdout: "" });
    const [, step] = /training stopped at step (\d+) of 100. Run the same command with --resume .*\[ABORTED\]\n$/.exec(
      stopped.stderr,
    )!;
    const state = JSON.parse(readFileSync(join(output, `checkpoints/step-${step}/state.json`), "utf8"));
    expect(state.step).toBe(Number(step));

    const resumed = await start(output, "--resume", ...options);
    expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining(`resuming after step ${step} of 100\n`) });
    expect(modelOf(output)).toEqual(modelOf(undisturbed));
  });

  test("a second SIGINT ends it at once, and that can be resumed too", async () => {
    const output = join(folder, `twice-${every}`);
    const run = start(output, ...options);
    await firstCheckpoint(output);
    run.child.kill("SIGINT");
    run.child.kill("SIGINT");
    expect(await run).toMatchObject({ code: 1 });
    expect(await start(output, "--resume", ...options)).toMatchObject({ code: 0 });
    expect(modelOf(output)).toEqual(modelOf(undisturbed));
  });
});

test("a finished training that is resumed says so and succeeds, so that a loop until success ends", async () => {
  const output = join(folder, "finished");
  const first = await start(output, "--resume");
  expect(first).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("no checkpoint yet, starting from the beginning"),
  });
  const files = filesOf(output);
  const again = await start(output, "--resume");
  expect(again).toMatchObject({ code: 0, stdout: first.stdout });
  expect(again.stderr).toMatch(/nothing to resume: the training ended after step 100\n$/);
  expect(filesOf(output)).toEqual(files);
});
