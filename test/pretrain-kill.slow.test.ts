/** Pre-training, killed again and again and resumed, ends in the same bytes as if it had been left alone. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import { cloze, type Run } from "./command-line.ts";
import { writeTinyCorpus } from "./tiny-corpus.ts";
import { begins, filesOf, logOf } from "./training-files.ts";

const STEPS = 400;
const KILLS = 10;
/** Steps from one kill to the next: the last is far enough from the end of the training that it hits. */
const SPACING = 36;
/** Milliseconds, in which a few steps are made or a checkpoint is written. */
const JITTER = 60;
/** Files that say how long the training took. */
const TIMED = ["README.md", "training.json"];

let folder: string;
let args: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-pretrain-kill-"));
  const { data, text, vocab, config } = await writeTinyCorpus(join(folder, "corpus"));
  const recipe = `--steps ${STEPS} --batch-tokens 96 --accumulate 2 --max-length 24 --then 40:25% --threads 1 --lines sentence`;
  const often = "--checkpoint-every 3 --evaluate-every 50";
  const files = ["--data", data, "--vocab", vocab, "--model", config, "--held-out", text];
  args = ["pretrain", ...files, ...recipe.split(" "), ...often.split(" ")];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (output: string, ...more: string[]): Run => cloze([...args, "--output", output, ...more]);

/** The step of the last whole checkpoint in a folder; 0 where there is none. */
function lastCheckpoint(output: string): number {
  const checkpoints = join(output, "checkpoints");
  const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  return Math.max(0, ...names.flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? []).map(Number));
}

/** Waits until a training has left a checkpoint of that step or a later one; throws if it ends before. */
async function reaches(run: Run, output: string, step: number): Promise<void> {
  while (lastCheckpoint(output) < step) {
    if (run.child.exitCode !== null) throw new Error(`ended before step ${step}: ${(await run).stderr}`);
    await sleep(2);
  }
}

test.each([
  "adamw",
  "lamb",
])("%s, killed ten times all along the way, with accumulation, across a change of length", async (optimizer) => {
  const undisturbed = join(folder, `undisturbed-${optimizer}`);
  expect(await start(undisturbed, "--optimizer", optimizer)).toMatchObject({ code: 0 });

  const random = Random.of(3, "kills");
  const output = join(folder, `killed-${optimizer}`);
  const reached: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const run = start(output, "--resume", "--optimizer", optimizer);
    await begins(run); // the first kill is before any checkpoint
    await reaches(run, output, kill * SPACING);
    await sleep(random.uniform() * JITTER);
    run.child.kill("SIGKILL");
    expect(await run).toMatchObject({ signal: "SIGKILL" });
    reached.push(lastCheckpoint(output));
  }
  console.log(`killed with checkpoints at steps ${reached.join(", ")} of ${STEPS}`);
  // Whatever is slow here, a run comes past the steps of some kills, not of most.
  expect(new Set(reached.filter((step) => step > 0)).size).toBeGreaterThanOrEqual(KILLS / 2);
  expect(await start(output, "--resume", "--optimizer", optimizer)).toMatchObject({ code: 0 });
  expect(filesOf(output, { without: TIMED })).toEqual(filesOf(undisturbed, { without: TIMED }));
  expect(logOf(output)).toEqual(logOf(undisturbed));
});
