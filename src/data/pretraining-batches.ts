import { ClozeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Documents } from "./documents.ts";
import { type MaskableVocabulary, type MaskOptions, maskTokens } from "./masking.ts";
import {
  type Pairing,
  type PretrainingSequence,
  planSequences,
  type SequencePlan,
  sequenceAt,
  sequenceLengths,
} from "./sentence-pairs.ts";

/** A sequence to learn from: some of its tokens are hidden, and `labels` [M] are what stood at `positions` [M]. */
export interface MaskedSequence extends PretrainingSequence {
  readonly positions: Int32Array;
  readonly labels: Int32Array;
  /** Where it comes from, for messages. */
  readonly place: string;
}

/** Shards of a corpus, read when they are needed. */
export interface ShardSource {
  readonly count: number;
  read(shard: number): Promise<Documents>;
}

/** What instances are made by; see `cloze pretrain --help`. */
export interface InstanceOptions {
  readonly pairing: Pairing;
  readonly maxLength: number;
  readonly mask: MaskOptions;
  readonly seed: number;
  /** Make so many different sets of instances, and use each again every so many epochs. Default: new ones in each epoch. */
  readonly duplicates?: number;
}

/** The place of a sequence in the endless stream of a corpus: epoch, group of shards in it, sequence in that. */
export interface Position {
  readonly epoch: number;
  readonly group: number;
  readonly sequence: number;
}

export const START: Position = { epoch: 0, group: 0, sequence: 0 };

/** What a stream needs to know of a vocabulary. */
export interface InstanceVocabulary {
  readonly maskable: MaskableVocabulary;
  readonly specialIds: { readonly cls: number; readonly sep: number };
}

/** Shards whose sequences are shuffled together: some 17 million tokens, enough to mix and little to hold. */
const GROUP_SHARDS = 4;

/**
 * Batches without end, from a position on, each with the position after it. A batch takes sequences as they come until
 * the next would exceed `batchTokens`; since nothing is padded, that fills it. The sequences of an epoch come in an order
 * of its own: shards are put into groups at random, then the sequences of each group are shuffled. Passed over are
 * sequences of nothing but unknown tokens, and shards whose documents make no pairs.
 *
 * Everything is a function of the shards, the options and the position, so training can be resumed anywhere. Throws
 * CORPUS_TOO_SMALL, TEXT_EMPTY, OPTION_INVALID and what the source throws.
 */
export async function* pretrainingBatches(
  source: ShardSource,
  vocabulary: InstanceVocabulary,
  options: InstanceOptions & { readonly batchTokens: number },
  from: Position,
): AsyncGenerator<{ readonly batch: readonly MaskedSequence[]; readonly next: Position }> {
  requireRoom(options);
  let batch: MaskedSequence[] = [];
  let tokens = 0;
  for (let { epoch, group, sequence } = from; ; epoch++, group = 0) {
    let isUseless = group === 0 && sequence === 0;
    let tooSmall: ClozeError | undefined;
    const groups = groupsOf(source.count, options.seed, epoch);
    for (; group < groups.length; group++, sequence = 0) {
      const instances = await planGroup(source, vocabulary, options, { epoch, group, shards: groups[group] });
      tooSmall ??= instances.tooSmall;
      for (; sequence < instances.length; sequence++) {
        const length = instances.lengthOf(sequence);
        if (tokens + length > options.batchTokens) {
          yield { batch, next: { epoch, group, sequence } };
          [batch, tokens] = [[], 0];
        }
        const masked = instances.make(sequence);
        if (masked.positions.length === 0) continue; // nothing but unknown tokens
        batch.push(masked);
        tokens += length;
        isUseless = false;
      }
    }
    if (isUseless) throw tooSmall ?? nothingToLearn();
  }
}

/** Every sequence of some documents in which something can be hidden, in their order: what a model is evaluated on. */
export function allInstances(
  documents: Documents,
  vocabulary: InstanceVocabulary,
  options: InstanceOptions,
): MaskedSequence[] {
  const plan = planSequences(documents, options, Random.of(options.seed, "pairs", 0, 0));
  const keys = [options.seed, 0, 0];
  const all = Array.from({ length: plan.length }, (_, i) =>
    instance({ documents, plan, shard: 0, keys }, i, vocabulary, options),
  );
  return all.filter(({ positions }) => positions.length > 0);
}

interface Instances {
  readonly length: number;
  /** Why one of the shards has no sequences. */
  readonly tooSmall: ClozeError | undefined;
  lengthOf(index: number): number;
  make(index: number): MaskedSequence;
}

interface PlannedShard {
  readonly shard: number;
  readonly documents: Documents;
  readonly plan: SequencePlan;
  /** What its random choices are functions of. */
  readonly keys: readonly number[];
}

/** The sequences of some shards, in random order, each made when it is asked for. */
async function planGroup(
  source: ShardSource,
  vocabulary: InstanceVocabulary,
  options: InstanceOptions,
  { epoch, group, shards }: { epoch: number; group: number; shards: readonly number[] },
): Promise<Instances> {
  const { seed, duplicates = Number.POSITIVE_INFINITY } = options;
  const set = epoch % duplicates;
  const planned: PlannedShard[] = [];
  let tooSmall: ClozeError | undefined;
  for (const shard of shards) {
    const documents = await source.read(shard);
    try {
      const plan = planSequences(documents, options, Random.of(seed, "pairs", set, shard));
      planned.push({ shard, documents, plan, keys: [seed, set, shard] });
    } catch (error) {
      if (!(error instanceof ClozeError && error.code === "CORPUS_TOO_SMALL")) throw error;
      tooSmall ??= error; // other shards may have more
    }
  }
  const lengths = planned.map(({ plan }) => sequenceLengths(plan));
  const total = lengths.reduce((sum, { length }) => sum + length, 0);
  const owner = new Uint8Array(total);
  const indices = new Uint32Array(total);
  let filled = 0;
  lengths.forEach(({ length }, which) => {
    owner.fill(which, filled, filled + length);
    for (let i = 0; i < length; i++) indices[filled + i] = i;
    filled += length;
  });
  const order = Random.of(seed, "order", epoch, group).shuffle(Uint32Array.from({ length: total }, (_, i) => i));
  return {
    length: total,
    tooSmall,
    lengthOf: (i) => lengths[owner[order[i]]][indices[order[i]]],
    make: (i) => instance(planned[owner[order[i]]], indices[order[i]], vocabulary, options),
  };
}

/** Sequence `index` of a shard, with its tokens masked. */
function instance(
  { documents, plan, shard, keys }: PlannedShard,
  index: number,
  { maskable, specialIds }: InstanceVocabulary,
  { mask }: InstanceOptions,
): MaskedSequence {
  const sequence = sequenceAt(documents, plan, index, specialIds);
  const masked = maskTokens(sequence.ids, mask, maskable, Random.of("mask", ...keys, index));
  return { ...sequence, ...masked, place: `shard ${shard + 1}, sequence ${index + 1}` };
}

/**
 * The shards of an epoch in groups. Each takes one at random from every stretch of the corpus, so that none is of a single
 * source: text of one kind for thousands of updates makes a model forget the others.
 */
export function groupsOf(count: number, seed: number, epoch: number): number[][] {
  const random = Random.of(seed, "shards", epoch);
  const groups = Array.from({ length: Math.ceil(count / GROUP_SHARDS) }, (): number[] => []);
  for (let first = 0; first < count; first += groups.length) {
    const order = random.shuffle([...groups.keys()]);
    for (let i = 0; i < groups.length && first + i < count; i++) groups[order[i]].push(first + i);
  }
  return groups;
}

function nothingToLearn(): ClozeError {
  return new ClozeError("TEXT_EMPTY", {
    problem: "no sequence of the corpus has a token that could be hidden: the vocabulary knows none of them",
    cure: "Check that the vocabulary belongs to this language, and prepare the corpus anew.",
  });
}

function requireRoom({ batchTokens, maxLength }: { batchTokens: number; maxLength: number }) {
  if (batchTokens >= maxLength) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: "--batch-tokens has no room for one sequence",
    expected: `at least --max-length, ${maxLength}`,
    received: String(batchTokens),
  });
}
