// Adds up the "Tests  N passed" lines of test logs: what was skipped first, then the closing line "N passed, N failed".
import { readFileSync } from "node:fs";

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  const text = readFileSync(path, "utf8").replace(/\x1b\[[0-9;]*m/g, "");
  const line = text.split("\n").findLast((candidate) => /^\s*Tests\s/.test(candidate)) ?? "";
  for (const [, count, kind] of line.matchAll(/(\d+) (passed|failed|skipped)/g)) counts[kind] += Number(count);
}
console.log(`${counts.skipped} tests skipped, each with its reason above`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
