import { expect, test } from "vitest";
import { quote, quoteSome } from "./quote.ts";

test("a short text is quoted whole, of a long one the beginning, no character or escape cut in two", () => {
  expect(quote('a "b"\n')).toBe('"a \\"b\\"\\n"');
  expect(quote("x".repeat(60))).toBe(`"${"x".repeat(60)}"`);
  expect(quote("x".repeat(61))).toBe(`"${"x".repeat(60)}…"`);
  expect(quote(`${"x".repeat(59)}😀`)).toBe(`"${"x".repeat(59)}…"`);
  expect(quote("\u009b31m\u202e\x7f")).toBe('"\\u009b31m\\u202e\\u007f"');
  expect(quote("\0".repeat(500))).toBe(`"${"\\u0000".repeat(10)}…"`);
});

test("many names are listed up to a number", () => {
  expect(quoteSome(["a", "b"], 2)).toBe('"a", "b"');
  expect(quoteSome(["a", "b", "c", "d"], 2)).toBe('"a", "b" and 2 more');
});
