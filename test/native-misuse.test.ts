/** What must end in an error or go on, never in a crash: each in a process of its own, as a crash would end the tests. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeNative } from "./native-kernels.ts";

/** Processes start slowly where many do. */
const TIMEOUT = 180_000;

describeNative("native executor, a process survives", () => {
  test.each([
    ["a run after the disposal", "DISPOSED"],
    ["ids that change during the run", "the rows that were asked for"],
    ["parameters of other shapes", "PARAMETER_SHAPE"],
    ["no number of threads", "OPTION_INVALID, OPTION_INVALID, OPTION_INVALID, OPTION_INVALID"],
    ["a thread that is ended in the middle of a run", "the others go on"],
    ["an end in the middle of a run", "left"],
  ])("%s", { timeout: TIMEOUT }, (scenario, expected) => {
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", join(import.meta.dirname, "native-process.ts"), scenario],
      { encoding: "utf8" },
    );
    expect({ status, signal, stdout: stdout.trim(), stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: expected,
      stderr: "",
    });
  });
});
