/** Processes and threads that end, are ended or lack memory while the native kernels compute. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { describeNative } from "./native-kernels.ts";

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A scenario of native-process.ts in a process of its own. */
function start(...args: readonly string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", join(import.meta.dirname, "native-process.ts"), ...args]);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout: stdout.trim(), stderr }));
  });
  const said = new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  return { child, ended, said };
}

const fine = (stdout: string): Ended => ({ code: 0, signal: null, stdout, stderr: "" });

describeNative("native executor, a process", () => {
  test("may end at any moment of a run", async () => {
    for (let moment = 0; moment < 60; moment += 4) {
      const { ended } = start("an end in the middle of a run", String(moment));
      expect(await ended, `after ${moment} ms`).toEqual(fine("left"));
    }
  });

  test("that has nothing else to do ends with its runs", async () => {
    const { ended } = start("nothing left to do but runs");
    expect(await ended).toEqual(fine("all was said\nthe runs have ended"));
  });

  test.each([
    "SIGINT",
    "SIGTERM",
    "SIGKILL",
  ] as const)("ends by %s in the middle of a run, and by nothing else", async (name) => {
    const moments = [0, 12, 24, 36, 48];
    const signals: (NodeJS.Signals | null)[] = [];
    for (const moment of moments) {
      const { child, ended, said } = start("nothing left to do but runs");
      await said; // the first run has begun
      await setTimeout(moment);
      child.kill(name);
      const { code, signal, stderr } = await ended;
      expect({ code, signal, stderr }).toEqual({
        code: signal === null ? 0 : null,
        signal: signal && name,
        stderr: "",
      });
      signals.push(signal);
    }
    // The runs take a second and more; on a busy machine they may end before the later moments, but not before most.
    expect(signals.filter((signal) => signal === name).length).toBeGreaterThan(moments.length / 2);
  });

  test("ends threads in the middle of runs again and again, and keeps none of theirs", async ({ skip }) => {
    if (!existsSync("/proc/self/task")) skip("the system does not list the threads of a process");
    const { ended } = start("many threads that are ended in the middle of runs");
    expect(await ended).toEqual(fine("no thread is left over"));
  });

  test("that gets no memory, and no threads, says so and goes on", async ({ skip }) => {
    if (process.platform !== "linux") skip("the system cannot lower the memory of a process");
    const { ended } = start("too little memory");
    const codes = ["OUT_OF_MEMORY", "OUT_OF_MEMORY", "OUT_OF_MEMORY", "then as before"];
    expect(await ended).toEqual(fine(codes.join(", ")));
  });

  test("that gets no memory for a task of a kernel, on one thread and on three, says so and goes on", async ({
    skip,
  }) => {
    if (process.platform !== "linux") skip("the system cannot lower the memory of a process");
    const { ended } = start("too little memory for a kernel");
    const told = ["OUT_OF_MEMORY", "std::bad_alloc", "then as before"];
    expect(await ended).toEqual(fine([...told, ...told].join(", ")));
  });
});
