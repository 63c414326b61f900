import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../src/base/errors.ts";

const root = join(import.meta.dirname, "..");
const codes = Object.keys(ERROR_CODES);

/** The text of all TypeScript files in a folder, apart from the table of codes and this file, that are tests or not. */
function sources(folder: string, { tests }: { tests: boolean }): string {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && path.endsWith(".test.ts") === tests)
    .map((path) => join(root, folder, path))
    .filter((path) => path !== import.meta.filename && path !== join(root, "src/base/errors.ts"));
  return paths.map((path) => readFileSync(path, "utf8")).join("\n");
}

describe("error codes", () => {
  test("stand in alphabetical order", () => {
    expect(codes).toEqual(codes.toSorted());
  });

  test("are the rows of docs/errors.md, sentence for sentence", () => {
    const page = readFileSync(join(root, "docs/errors.md"), "utf8");
    const rows = page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm);
    expect(Array.from(rows, ([, code, meaning]) => [code, meaning])).toEqual(Object.entries(ERROR_CODES));
  });

  const thrown = sources("src", { tests: false });
  const tested = sources("src", { tests: true }) + sources("test", { tests: true });

  test.each(codes)("%s is used by the source and provoked by a test", (code) => {
    expect(thrown.includes(`"${code}"`), "no file under src/ names it").toBe(true);
    expect(tested.includes(`"${code}"`), "no test names it").toBe(true);
  });
});
