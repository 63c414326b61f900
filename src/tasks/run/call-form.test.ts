import { expect, test } from "vitest";
import { z } from "zod";
import { type CallForm, requireCall } from "./call-form.ts";

const FORM: CallForm<{ top_k: number }> = {
  input: z.union([z.string(), z.strictObject({ text: z.string(), text_pair: z.string().optional() })]),
  called: "a text or { text, text_pair }",
  options: { top_k: true },
};

test.each<[unknown, string]>([
  [3, "got a number"],
  [undefined, "got undefined"],
  [null, "got null"],
  [
    { text: "a", pair: "b" },
    "expected a text or { text, text_pair }, or a list of such inputs; got { text: string, pair: string }",
  ],
  [
    ["a", { text: null, text_pair: [] }],
    "input 2 of the list has the wrong form; expected a text or { text, text_pair }; got { text: null, text_pair: list }",
  ],
  [[["a"]], "got a list"],
])("refuses %j", (input, message) => {
  expect(() => requireCall(FORM, input, {})).toThrow(message);
});

test("refuses an option of another name, and knows those of control", () => {
  const call = (options: object) => () =>
    requireCall(FORM, ["a", { text: "a" }, { text: "a", text_pair: "b" }], options);
  expect(call({ top_k: 3, signal: undefined, onProgress: undefined })).not.toThrow();
  expect(call({ topK: 3 })).toThrow("there is no option topK; expected top_k, signal, onProgress");
});
