import type { Reporter } from "vitest/node";

/** Prints why a test was skipped, a line each. */
export const skipReasons: Reporter = {
  onTestCaseResult(testCase) {
    const result = testCase.result();
    if (result.state === "skipped") console.log(`skipped: ${testCase.fullName}: ${result.note ?? "without a reason"}`);
  },
};
