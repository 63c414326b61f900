/** docs/library.md beside what programs import. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as library from "../src/index.ts";

test("docs/library.md names all that the library exports, and nothing else in its tables", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/library.md"), "utf8");
  const named = Array.from(page.matchAll(/^\| (`.*?`) \|/gm)).flatMap(([, cell]) => cell.match(/\w+/g) ?? []);
  const errors = ["ClozeError", "ERROR_CODES"]; // in the text above the tables
  for (const name of errors) expect(page).toContain(`\`${name}\``);
  expect([...errors, ...named].sort()).toEqual(Object.keys(library).sort());
});
