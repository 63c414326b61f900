import { expect, test } from "vitest";
import { depthOf } from "./depth.ts";

test.each([
  ["bert.embeddings.word_embeddings.weight", 0],
  ["bert.embeddings.LayerNorm.bias", 0],
  ["bert.encoder.layer.0.attention.self.query.weight", 1],
  ["bert.encoder.layer.11.output.dense.bias", 12],
  ["bert.pooler.dense.weight", 13],
  ["classifier.weight", 13],
  ["qa_outputs.bias", 13],
])("%s is at %i", (name, depth) => {
  expect(depthOf(name, { layers: 12 })).toBe(depth);
});
