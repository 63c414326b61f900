import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countDocuments, countSentences, type Documents } from "../data/documents.ts";
import { encodeSafetensors, type NamedTensor } from "../formats/safetensors.ts";
import { cutShards, decodeShard, encodeShard, joinDocuments } from "./shards.ts";

const VOCABULARY_SIZE = 100;

/** Documents as lists: of documents, of sentences, of ids. */
type Nested = number[][][];

function pack(nested: Nested, ids: (ids: number[]) => Documents["ids"] = (ids) => Uint16Array.from(ids)): Documents {
  const sentences = nested.flat();
  const ends = (lists: unknown[][]) => [0, ...lists.map((_, i) => lists.slice(0, i + 1).flat().length)];
  return {
    ids: ids(sentences.flat()),
    sentences: Uint32Array.from(ends(sentences)),
    documents: Uint32Array.from(ends(nested)),
  };
}

function unpack({ ids, sentences, documents }: Documents): Nested {
  const ranges = (ends: Uint32Array) => Array.from(ends.subarray(1), (end, i) => [ends[i], end] as const);
  const allSentences = ranges(sentences).map(([start, end]) => [...ids.subarray(start, end)]);
  return ranges(documents).map(([start, end]) => allSentences.slice(start, end));
}

const sentence = fc.array(fc.nat(VOCABULARY_SIZE - 1), { minLength: 1, maxLength: 5 });
const document = fc.array(sentence, { minLength: 1, maxLength: 4 });
const parts = fc.array(fc.array(document, { maxLength: 4 }), { maxLength: 8 });

function bytesOf(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

describe("joinDocuments", () => {
  test("gives all documents in order", () => {
    fc.assert(
      fc.property(parts, (parts) => {
        const joined = joinDocuments(parts.map((part) => pack(part)));
        expect(unpack(joined)).toEqual(parts.flat());
        expect(countDocuments(joined)).toBe(parts.flat().length);
        expect(countSentences(joined)).toBe(parts.flat(2).length);
      }),
    );
  });

  test("keeps the width of the ids", () => {
    const wide = pack([[[70_000]]], (ids) => Uint32Array.from(ids));
    expect(joinDocuments([wide, wide]).ids).toEqual(Uint32Array.of(70_000, 70_000));
  });
});

describe("cutShards", () => {
  async function cut(parts: readonly Nested[], tokens: number): Promise<Nested[]> {
    async function* packed() {
      for (const part of parts) yield pack(part);
    }
    const shards: Nested[] = [];
    for await (const shard of cutShards(packed(), tokens)) shards.push(unpack(shard));
    return shards;
  }

  test("loses nothing, divides nothing, and gives each shard two documents", async () => {
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 30 }), async (parts, tokens) => {
        const shards = await cut(parts, tokens);
        expect(shards.flat()).toEqual(parts.flat());
        for (const shard of shards) expect(shard.length).toBeGreaterThan(parts.flat().length > 1 ? 1 : 0);
        for (const shard of shards.slice(0, -1)) expect(shard.flat(2).length).toBeGreaterThanOrEqual(tokens);
      }),
    );
  });

  const one: Nested = [[[1, 2]]];

  test("ends a shard where it has tokens enough", async () => {
    expect((await cut(Array(8).fill(one), 4)).map(({ length }) => length)).toEqual([2, 2, 2, 2]);
    expect((await cut(Array(8).fill(one), 5)).map(({ length }) => length)).toEqual([3, 3, 2]);
  });

  test("gives a single document left over to the shard before", async () => {
    expect((await cut(Array(7).fill(one), 4)).map(({ length }) => length)).toEqual([2, 2, 3]);
    expect((await cut([one, [], []], 1)).map(({ length }) => length)).toEqual([1]);
    expect(await cut([[], []], 1)).toEqual([]);
  });

  test("holds no more than two shards", async () => {
    let made = 0;
    async function* endless() {
      for (;;) {
        made++;
        yield pack(one);
      }
    }
    let cutSoFar = 0;
    for await (const _ of cutShards(endless(), 10)) if (++cutSoFar === 5) break;
    expect(made).toBeLessThanOrEqual(5 * 5 + 2);
  });
});

describe("a shard's file", () => {
  test("holds documents as they are", () => {
    fc.assert(
      fc.property(fc.array(document), fc.boolean(), fc.nat(7), (nested, wide, shift) => {
        const documents = pack(nested, wide ? (ids) => Uint32Array.from(ids) : undefined);
        const bytes = bytesOf(encodeShard(documents));
        const anywhere = new Uint8Array(bytes.length + shift).subarray(shift);
        anywhere.set(bytes);
        expect(decodeShard(anywhere, VOCABULARY_SIZE, "s")).toEqual(documents);
      }),
    );
  });

  const good: Record<string, NamedTensor> = {
    sentences: { name: "sentences", dtype: "U32", shape: [4], data: Uint32Array.of(0, 1, 3, 4) },
    documents: { name: "documents", dtype: "U32", shape: [3], data: Uint32Array.of(0, 2, 3) },
    ids: { name: "ids", dtype: "U16", shape: [4], data: Uint16Array.of(5, 6, 7, 99) },
  };
  const row = (...offsets: number[]) => ({ shape: [offsets.length], data: Uint32Array.from(offsets) });
  const encode = (changes: Record<string, object>) =>
    bytesOf(encodeSafetensors(Object.entries(good).map(([name, tensor]) => ({ ...tensor, ...changes[name] }))));
  const malformed = (...parts: string[]) =>
    expect.objectContaining({
      code: "SHARD_MALFORMED",
      message: expect.stringMatching(new RegExp(["the shard s", ...parts].join(".*"))),
    });

  test("is taken where it is good", () => {
    expect(unpack(decodeShard(encode({}), VOCABULARY_SIZE, "s"))).toEqual([[[5], [6, 7]], [[99]]]);
  });

  test.each<[what: string, changes: Record<string, object>, expected: string]>([
    ["has an id beyond the vocabulary", { ids: { data: Uint16Array.of(5, 6, 7, 100) } }, "ids below 100; got 100"],
    ["has no ids", { ids: { name: "tokens" } }, "U32 named ids; got none"],
    ["has ids of another type", { ids: { dtype: "I16" } }, "U32 named ids; got I16"],
    ["has ids in rows", { ids: { shape: [2, 2] } }, "named ids; got U16 \\[2, 2\\]"],
    ["has sentences that begin late", { sentences: row(1, 2, 3, 4) }, "sentences that begin with 0; got 1 at 0"],
    ["has an empty sentence", { sentences: row(0, 1, 1, 4) }, "sentences that ascend; got 1 at 2"],
    ["has sentences beyond its ids", { sentences: row(0, 1, 3, 5) }, "sentences that end with 4; got 5 at 3"],
    ["has an empty document", { documents: row(0, 3, 3) }, "documents that ascend; got 3 at 2"],
    ["has documents of fewer sentences", { documents: row(0, 2) }, "documents that end with 3; got 2 at 1"],
    ["has no offsets", { documents: row() }, "documents that begin with 0; got nothing"],
  ])("that %s is SHARD_MALFORMED", (_, changes, expected) => {
    expect(() => decodeShard(encode(changes), VOCABULARY_SIZE, "s")).toThrow(malformed(expected));
  });

  test("that is cut short or changed anywhere throws nothing but SHARD_MALFORMED", () => {
    const bytes = encode({});
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeShard(bytes.subarray(0, length), VOCABULARY_SIZE, "s")).toThrow(malformed());
    }
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        try {
          decodeShard(bytes.with(at, value), VOCABULARY_SIZE, "s");
        } catch (error) {
          expect(error).toEqual(malformed());
        }
      }),
    );
  });
});
