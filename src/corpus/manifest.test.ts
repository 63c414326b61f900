import { describe, expect, test } from "vitest";
import {
  formatManifest,
  type Manifest,
  makeManifest,
  manifestName,
  parseManifest,
  partOfFile,
  shardName,
} from "./manifest.ts";

const sha256 = "0123456789abcdef".repeat(4);
const manifest: Manifest = makeManifest({
  part: { index: 3, of: 64 },
  sources: [{ name: "a.txt", bytes: 9, sha256 }],
  vocabulary: { size: 30522, sha256 },
  lines: "wrapped",
  locale: "en",
  textColumn: "text",
  counts: { documents: 1, sentences: 2, tokens: 3, unknownTokens: 0, characters: 9, emptyDocuments: 0 },
  shards: [{ file: shardName({ index: 3, of: 64 }, 1, sha256), sha256, tokens: 3, documents: 1, sentences: 2 }],
});

test("names say which part of how many, and which content", () => {
  expect(manifestName(manifest.part)).toBe("manifest-0003-of-0064.json");
  expect(manifest.shards[0].file).toBe("shard-0003-of-0064-00001-0123456789ab.safetensors");
});

test.each<[name: string, found: ReturnType<typeof partOfFile>]>([
  ["manifest-0003-of-0064.json", { index: 3, of: 64, isManifest: true }],
  ["manifest-12345-of-23456.json", { index: 12345, of: 23456, isManifest: true }],
  ["shard-0003-of-0064-00001-0123456789ab.safetensors", { index: 3, of: 64, isManifest: false }],
  [".manifest-0003-of-0064.json.new-12-0123456789ab", { index: 3, of: 64, isManifest: false }],
  [".shard-0001-of-0001-00001-0123456789ab.safetensors.new-12-abcdef012345", { index: 1, of: 1, isManifest: false }],
  ["manifest.json", undefined],
  ["README.md", undefined],
  ["my-shard-0003-of-0064-1", undefined],
  ["shard-0003-of-0064.jsonl", undefined],
  ["shard-0003-of-0064.json", undefined],
  ["manifest-0003-of-0064-00001-0123456789ab.safetensors", undefined],
  ["shard-00003-of-00064.txt.gz", undefined],
])("the part of %s", (name, found) => {
  expect(partOfFile(name)).toEqual(found);
});

describe("parseManifest", () => {
  test("reads what formatManifest wrote", () => {
    expect(parseManifest(formatManifest(manifest), "m")).toEqual(manifest);
  });

  test.each<[what: string, change: object, fault: string]>([
    ["another version", { form: 2 }, "form: "],
    ["a part beyond all", { part: { index: 3, of: 2 } }, "part: "],
    ["a lacking field", { counts: undefined }, "counts: "],
    ["a hash that is none", { vocabulary: { size: 1, sha256: "abc" } }, "vocabulary.sha256: "],
    ["a shard elsewhere", { shards: [{ ...manifest.shards[0], file: "../a.safetensors" }] }, "shards.0.file: "],
    ["an empty shard", { shards: [{ ...manifest.shards[0], tokens: 0 }] }, "shards.0.tokens: "],
  ])("refuses %s", (_, change, fault) => {
    const text = JSON.stringify({ ...manifest, ...change });
    const expected = { code: "CORPUS_MALFORMED", message: expect.stringContaining(fault) };
    expect(() => parseManifest(text, "m")).toThrow(expect.objectContaining(expected));
  });

  test("refuses what is no JSON", () => {
    const expected = { code: "CORPUS_MALFORMED", message: expect.stringContaining("m is no manifest") };
    expect(() => parseManifest(formatManifest(manifest).slice(0, 100), "m")).toThrow(expect.objectContaining(expected));
  });
});
