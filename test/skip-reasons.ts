import type { Reporter, TestCase, Vitest } from "vitest/node";

let vitest: Vitest;
const without: string[] = [];

/** Prints why a test was skipped, a line each, and fails the run where one does not say why. */
export const skipReasons: Reporter = {
  onInit(context) {
    vitest = context;
  },
  onTestRunStart() {
    without.length = 0;
  },
  onTestCaseResult(testCase) {
    const result = testCase.result();
    if (result.state !== "skipped" || isLeftOut(testCase)) return;
    console.log(`skipped: ${testCase.fullName}: ${result.note ?? "without a reason"}`);
    if (result.note === undefined) without.push(testCase.fullName);
  },
  onTestRunEnd() {
    if (without.length === 0) return;
    console.error(`${without.length} tests were skipped without a reason; pass one to the skip of the test's context`);
    process.exitCode = 1;
  },
};

/** Whether a test is one of those that --testNamePattern leaves out. */
function isLeftOut({ fullName }: TestCase): boolean {
  const pattern = vitest.config.testNamePattern;
  return pattern !== undefined && !pattern.test(fullName.replaceAll(" > ", " "));
}
