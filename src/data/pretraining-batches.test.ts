import { describe, expect, it } from "vitest";
import { expectError } from "../../test/expect-error.ts";
import { Random } from "../base/random.ts";
import type { Documents } from "./documents.ts";
import { maskableVocabulary } from "./masking.ts";
import {
  allInstances,
  groupsOf,
  type InstanceOptions,
  type InstanceVocabulary,
  type MaskedSequence,
  type Position,
  pretrainingBatches,
  START,
} from "./pretraining-batches.ts";

const TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...Array.from({ length: 5000 }, (_, i) => `t${i}`)];
const SPECIAL = { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 };
const vocabulary: InstanceVocabulary = { maskable: maskableVocabulary(TOKENS, SPECIAL, "##"), specialIds: SPECIAL };

/** Documents of several sentences, whose tokens are all different from `firstId` on. */
function documentsFrom(firstId: number, seed: number): Documents {
  const random = Random.of(seed, "documents");
  const sentences = [0];
  const documents = [0];
  for (let document = 0; document < 6; document++) {
    const count = 2 + random.below(4);
    for (let i = 0; i < count; i++) sentences.push(sentences[sentences.length - 1] + 1 + random.below(9));
    documents.push(sentences.length - 1);
  }
  const length = sentences[sentences.length - 1];
  return {
    ids: Uint16Array.from({ length }, (_, i) => firstId + i),
    sentences: Uint32Array.from(sentences),
    documents: Uint32Array.from(documents),
  };
}

/** Six shards, so two groups. */
const SHARDS = Array.from({ length: 6 }, (_, i) => documentsFrom(5 + 300 * i, i));
const source = { count: SHARDS.length, read: async (shard: number) => SHARDS[shard] };
const options: InstanceOptions & { batchTokens: number } = {
  pairing: "none",
  maxLength: 16,
  mask: { rate: 0.15, unit: "token" },
  seed: 7,
  batchTokens: 64,
};

interface Batch {
  readonly batch: readonly MaskedSequence[];
  readonly next: Position;
}

async function take(count: number, from: Position, changes: Partial<typeof options> = {}): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of pretrainingBatches(source, vocabulary, { ...options, ...changes }, from)) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

/** The sequences of an epoch, in the order of the stream. */
async function epoch(number: number, changes: Partial<typeof options> = {}): Promise<MaskedSequence[]> {
  const sequences: MaskedSequence[] = [];
  const from = { epoch: number, group: 0, sequence: 0 };
  for await (const { batch, next } of pretrainingBatches(source, vocabulary, { ...options, ...changes }, from)) {
    sequences.push(...batch);
    if (next.epoch > number) {
      // The batch that crosses into the next epoch holds `next.sequence` sequences of it.
      return sequences.slice(0, sequences.length - next.sequence);
    }
  }
  throw new Error("an endless stream ended");
}

/** What stood there before it was masked. */
function restore({ ids, positions, labels }: MaskedSequence): Int32Array {
  const restored = ids.slice();
  positions.forEach((position, i) => {
    restored[position] = labels[i];
  });
  return restored;
}

const texts = (sequences: readonly MaskedSequence[]) => sequences.map((sequence) => restore(sequence).join());
const masks = (sequences: readonly MaskedSequence[]) =>
  sequences.map(({ ids, positions }) => `${ids.join()}/${positions.join()}`);

describe("pretrainingBatches", () => {
  it("fills the token budget, never beyond it, and leaves no room for the next sequence", async () => {
    const batches = await take(60, START);
    const sizes = batches.map(({ batch }) => batch.reduce((sum, { ids }) => sum + ids.length, 0));
    sizes.slice(0, -1).forEach((size, i) => {
      expect(size).toBeLessThanOrEqual(64);
      expect(size + batches[i + 1].batch[0].ids.length).toBeGreaterThan(64);
    });
  });

  it("has every token of the corpus once an epoch, in another order each time", async () => {
    const [first, second] = [await epoch(0), await epoch(1)];
    const tokens = texts(first).flatMap((text) =>
      text
        .split(",")
        .map(Number)
        .filter((id) => id > 4),
    );
    expect(tokens.sort((a, b) => a - b)).toEqual(SHARDS.flatMap(({ ids }) => [...ids]));
    expect(texts(first).toSorted()).toEqual(texts(second).toSorted());
    expect(texts(first)).not.toEqual(texts(second));
  });

  it("puts shards of all stretches of the corpus into each group, others in each epoch", () => {
    const groups = groupsOf(25, 43, 0); // of 25 shards, the last four another source's
    expect(groups.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i));
    for (const group of groups) {
      expect(group.length).toBeLessThanOrEqual(4);
      expect(group.filter((shard) => shard >= 21).length).toBeLessThanOrEqual(1);
    }
    expect(groupsOf(25, 43, 1)).not.toEqual(groups);
  });

  it("mixes the shards of a group", async () => {
    const shards = (await epoch(0)).slice(0, 20).map(({ place }) => place.split(",")[0]);
    expect(new Set(shards).size).toBeGreaterThan(2);
  });

  it("goes on from any position as if there had been no break", async () => {
    const whole = await take(80, START);
    for (const stop of [0, 1, 17, 41, 63]) {
      expect(await take(80 - stop - 1, whole[stop].next)).toEqual(whole.slice(stop + 1));
    }
  });

  it("masks anew in each epoch", async () => {
    expect(masks(await epoch(0)).toSorted()).not.toEqual(masks(await epoch(1)).toSorted());
  });

  it("uses its instances again after as many epochs as there are duplicates", async () => {
    const pairs = { pairing: "next-sentence", duplicates: 2 } as const;
    const [first, second, third] = [await epoch(0, pairs), await epoch(1, pairs), await epoch(2, pairs)];
    expect(masks(third).toSorted()).toEqual(masks(first).toSorted());
    expect(masks(third)).not.toEqual(masks(first));
    expect(masks(second).toSorted()).not.toEqual(masks(first).toSorted());
  });

  it("depends on the seed", async () => {
    expect(await take(3, START, { seed: 8 })).not.toEqual(await take(3, START));
  });

  it("refuses a budget that has no room for a sequence", async () => {
    await expectError(take(1, START, { batchTokens: 15 }), "OPTION_INVALID", "--batch-tokens", "16", "15");
  });

  it("refuses a corpus of unknown tokens, and passes over such sequences in others", async () => {
    const unknown: Documents = { ...SHARDS[0], ids: SHARDS[0].ids.map(() => SPECIAL.unk) };
    const only = { count: 1, read: async () => unknown };
    const stream = pretrainingBatches(only, vocabulary, options, START);
    await expectError(stream.next(), "TEXT_EMPTY", "knows none of them");
    const mixed = { count: 2, read: async (shard: number) => [unknown, SHARDS[1]][shard] };
    for await (const { batch, next } of pretrainingBatches(mixed, vocabulary, options, START)) {
      for (const { positions } of batch) expect(positions.length).toBeGreaterThan(0);
      if (next.epoch > 1) break;
    }
  });
});

describe("allInstances", () => {
  it("has every token once, in order, and is a function of the seed", () => {
    const instances = allInstances(SHARDS[2], vocabulary, options);
    const ids = instances.flatMap((sequence) => [...restore(sequence)].filter((id) => id > 4));
    expect(ids).toEqual([...SHARDS[2].ids]);
    expect(allInstances(SHARDS[2], vocabulary, options)).toEqual(instances);
    expect(masks(allInstances(SHARDS[2], vocabulary, { ...options, seed: 8 }))).not.toEqual(masks(instances));
  });
});
