/** Pre-training, killed at random moments and resumed, ends in the same bytes as if it had been left alone. */
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

const KILLS = 10;
/** Files that say how long the training took. */
const TIMED = ["README.md", "training.json"];

let folder: string;
let args: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-pretrain-kill-"));
  const { data, text, vocab, config } = await writeTinyCorpus(join(folder, "corpus"));
  const recipe =
    "--steps 400 --batch-tokens 96 --accumulate 2 --max-length 24 --then 40:25% --threads 1 --lines sentence";
  const often = "--checkpoint-every 3 --evaluate-every 50";
  const files = ["--data", data, "--vocab", vocab, "--model", config, "--held-out", text];
  args = ["pretrain", ...files, ...recipe.split(" "), ...often.split(" ")];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (output: string, ...more: string[]): Run => cloze([...args, "--output", output, ...more]);

test.each([
  "adamw",
  "lamb",
])("%s, killed ten times at random moments, with accumulation, across a change of length", async (optimizer) => {
  const undisturbed = join(folder, `undisturbed-${optimizer}`);
  const whole = start(undisturbed, "--optimizer", optimizer);
  await begins(whole);
  const begun = Date.now();
  expect(await whole).toMatchObject({ code: 0 });
  const duration = Date.now() - begun;

  const random = Random.of(3, "kills");
  const output = join(folder, `killed-${optimizer}`);
  const reached: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const run = start(output, "--resume", "--optimizer", optimizer);
    await begins(run);
    await sleep(random.uniform() * (duration / KILLS) * 1.5);
    run.child.kill("SIGKILL");
    expect(await run).toMatchObject({ signal: "SIGKILL" });
    const checkpoints = join(output, "checkpoints");
    const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
    const steps = names.flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
    reached.push(Math.max(0, ...steps));
  }
  console.log(`killed with checkpoints at steps ${reached.join(", ")} of 400`);
  expect(await start(output, "--resume", "--optimizer", optimizer)).toMatchObject({ code: 0 });
  expect(filesOf(output, { without: TIMED })).toEqual(filesOf(undisturbed, { without: TIMED }));
  expect(logOf(output)).toEqual(logOf(undisturbed));
});
