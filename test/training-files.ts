/** A training in the making and what it leaves behind, for tests that compare a disturbed one with an undisturbed one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "./command-line.ts";

/** The files of a finished training but for its logs, which tell how fast it ran, and those `without`. */
export function filesOf(
  output: string,
  { without = [] }: { without?: readonly string[] } = {},
): Record<string, string> {
  const files = readdirSync(output, { withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map(({ name }) => name).filter((name) => !isLog(name) && !without.includes(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(output, name), "latin1")]));
}

function isLog(name: string): boolean {
  return name === "log.jsonl" || name.startsWith("events.");
}

/** The lines of a training's log, without speeds and times. */
export function logOf(output: string): Record<string, unknown>[] {
  const lines = readFileSync(join(output, "log.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => {
    const entries = Object.entries(JSON.parse(line));
    return Object.fromEntries(entries.filter(([name]) => !name.startsWith("speed/") && name !== "seconds"));
  });
}

/** Waits until a run has said how large the model is, which it does before its first step. */
export async function begins(run: Run): Promise<void> {
  await new Promise<void>((resolve) => {
    run.child.stderr?.on("data", (text: string) => text.includes("parameters") && resolve());
    run.child.on("close", () => resolve());
  });
}
