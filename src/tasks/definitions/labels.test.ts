import { expect, test } from "vitest";
import { labelIndex } from "./labels.ts";

test("an unknown label is told beside those that are known, of many beside ten", () => {
  const many = Array.from({ length: 150 }, (_, i) => `class ${i}`);
  expect(labelIndex("class 149", many, "a.csv, line 2")).toBe(149);
  const failure = (expected: string) => expect.objectContaining({ code: "LABEL_UNKNOWN", expected, received: '"x"' });
  expect(() => labelIndex("x", ["no", "yes"], "a.csv, line 2")).toThrow(failure('"no", "yes"'));
  const ten = many.slice(0, 10).map((label) => `"${label}"`);
  expect(() => labelIndex("x", many, "a.csv, line 2")).toThrow(failure(`${ten.join(", ")} and 140 more`));
});
