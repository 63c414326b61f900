/** Words in a shingle, the unit in which texts are compared. */
const SHINGLE_WORDS = 4;
/** Shingles read of one text: enough to know it by. */
const SHINGLES_READ = 400;
/**
 * A shingle in more texts than this is a list's footer or a phrase of the language: no sign of common origin. The
 * largest spam campaign of the corpus has 17 copies.
 */
const COMMON = 30;
/** A text with fewer telling shingles is too short to be called a copy. */
const TELLING_LEAST = 12;
/** The resemblance (Jaccard's index of the two sets of telling shingles) from which two texts count as copies. */
const RESEMBLANCE = 1 / 3;

/**
 * The pairs of texts that are copies with changes, as indices: of the runs of four words that either holds, both hold
 * a third or more (resemblance, Broder 1997). Quoted lines, digits and punctuation do not count.
 *
 * Nothing is sampled: all shingles of all texts are sorted, which brings the texts that share one together.
 */
export function nearDuplicates(texts: readonly string[]): [number, number][] {
  const count = texts.length;
  // One number holds a shingle and its text, `shingle * count + text`: exact below 2^53, so for up to 2^21 texts.
  const occurrences = Float64Array.from(
    texts.flatMap((text, index) => Array.from(shingles(text), (shingle) => shingle * count + index)),
  ).sort();

  const telling = new Uint32Array(count);
  const shared = new Map<number, number>(); // earlier text * count + later text -> telling shingles in both
  for (let start = 0, end = 0; start < occurrences.length; start = end) {
    const shingle = Math.floor(occurrences[start] / count);
    while (end < occurrences.length && Math.floor(occurrences[end] / count) === shingle) end++;
    if (end - start > COMMON) continue;
    const holders = Array.from(occurrences.subarray(start, end), (occurrence) => occurrence % count);
    for (const [i, earlier] of holders.entries()) {
      telling[earlier]!++;
      for (const later of holders.slice(i + 1)) {
        const pair = earlier * count + later;
        shared.set(pair, (shared.get(pair) ?? 0) + 1);
      }
    }
  }

  const pairs: [number, number][] = [];
  for (const [pair, both] of shared) {
    const [earlier, later] = [Math.floor(pair / count), pair % count];
    const [a, b] = [telling[earlier], telling[later]];
    if (Math.min(a, b) >= TELLING_LEAST && both >= RESEMBLANCE * (a + b - both)) pairs.push([earlier, later]);
  }
  return pairs;
}

/** The distinct 32-bit hashes of a text's runs of words. */
function shingles(text: string): Set<number> {
  const unquoted = text.replace(/^[ \t]*>.*/gm, "");
  const words = (unquoted.toLowerCase().match(/\p{L}+/gu) ?? []).map(hashOf);
  const hashes = new Set<number>();
  for (let end = SHINGLE_WORDS; end <= words.length && hashes.size < SHINGLES_READ; end++) {
    hashes.add(words.slice(end - SHINGLE_WORDS, end).reduce((run, word) => Math.imul(run, 31) + word, 0) >>> 0);
  }
  return hashes;
}

/** FNV-1a over UTF-16 units. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash;
}
