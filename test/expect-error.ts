import { expect } from "vitest";
import type { ErrorCode } from "../src/base/errors.ts";

/** Expects an error of this code whose message has all of these parts. */
export async function expectError(promise: Promise<unknown>, code: ErrorCode, ...parts: string[]): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "ClozeError", code });
  for (const part of parts) expect(error).toMatchObject({ message: expect.stringContaining(part) });
}
