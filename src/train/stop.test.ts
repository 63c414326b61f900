import { expect, test, vi } from "vitest";
import { ClozeError, type ErrorCode } from "../base/errors.ts";
import { errorOfStop } from "./stop.ts";

const failure = new Error("no place for a checkpoint");

/** What is thrown where a training is stopped by an error, or by a signal whose reason that error is. */
function outcome(error: unknown, { isSaved = true, isAborted = false } = {}) {
  const save = vi.fn(() => (isSaved ? Promise.resolve() : Promise.reject(failure)));
  const signal = isAborted ? AbortSignal.abort(error) : new AbortController().signal;
  const stop = { save, signal, step: 3, totalSteps: 7, howToResume: "Resume it." };
  const thrown = errorOfStop(error, stop).catch((reason: unknown) => ({ refused: reason }));
  return { save, thrown };
}

test.each([true, false])("an error is thrown as it is, whether its checkpoint is written: %j", async (isSaved) => {
  const error = new Error("a shard is gone");
  const { save, thrown } = outcome(error, { isSaved });
  expect(await thrown).toBe(error);
  expect(save).toHaveBeenCalledTimes(1);
});

test("an error beside a signal that has fired for another reason is thrown as it is", async () => {
  const error = new Error("a shard is gone");
  const save = () => Promise.reject(failure);
  const stop = { save, signal: AbortSignal.abort(), step: 3, totalSteps: 7, howToResume: "Resume it." };
  expect(await errorOfStop(error, stop)).toBe(error);
});

test("an abort is ABORTED, with the step and how to go on", async () => {
  const { save, thrown } = outcome(new Error("enough"), { isAborted: true });
  expect(await thrown).toMatchObject({
    code: "ABORTED",
    message: expect.stringMatching(/step 3 of 7.*Resume it\./),
  });
  expect(save).toHaveBeenCalledTimes(1);
});

test("an abort that leaves no checkpoint is the error of that", async () => {
  const { thrown } = outcome(new Error("enough"), { isSaved: false, isAborted: true });
  expect(await thrown).toEqual({ refused: failure });
});

test.each<ErrorCode>([
  "DISK_FULL",
  "FILE_NOT_WRITABLE",
  "LOGITS_NOT_FINITE",
  "LOSS_NOT_FINITE",
])("%s is not followed by a checkpoint", async (code) => {
  const error = new ClozeError(code, { problem: "no more" });
  const { save, thrown } = outcome(error);
  expect(await thrown).toBe(error);
  expect(save).not.toHaveBeenCalled();
});
