import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { inputChunks } from "./input-chunks.ts";

async function sizes(inputs: readonly unknown[]) {
  const counts = { texts: 0, skipped: 0, truncated: 0 };
  const work = async (chunk: readonly unknown[]) => ({ truncated: chunk.length - 1 });
  const chunks = await Readable.from(inputChunks(Readable.from(inputs), work, counts)).toArray();
  expect(chunks.flatMap(({ chunk }) => chunk)).toEqual(inputs);
  return { sizes: chunks.map(({ chunk }) => chunk.length), counts };
}

test("short inputs are worked on by the thousand", async () => {
  const inputs = Array.from({ length: 2500 }, (_, i) => ({ text: String(i) }));
  expect(await sizes(inputs)).toEqual({
    sizes: [1024, 1024, 452],
    counts: { texts: 2500, skipped: 0, truncated: 2497 },
  });
  expect((await sizes([])).sizes).toEqual([]);
});

test("long ones before they are too many to hold, wherever their texts are", async () => {
  const text = "a".repeat(1_500_000);
  expect((await sizes([text, text, text, text, text])).sizes).toEqual([3, 2]);
  expect((await sizes([{ text, pair: text }, { input: ["b", [text, text]], shown: null }, "c"])).sizes).toEqual([2, 1]);
  expect((await sizes(["a", text + text + text, "b", 4])).sizes).toEqual([2, 2]);
});
