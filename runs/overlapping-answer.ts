import { wordsOf } from "./words.ts";

/** Words that a question is near to, on either side of an answer, and words of an answer at most. */
const WINDOW = 15;
const LONGEST = 4;

/**
 * Answers a question by word overlap alone, in the manner of the sliding window that SQuAD's paper has for a baseline
 * (Rajpurkar et al. 2016, after Richardson et al. 2013). An answer is a run of words, none of them the question's; the one
 * is taken around which the question's words, rare ones first, are most and nearest, and which has most rare words itself.
 *
 * @param weightOf how rare a word is, 0 for the commonest
 */
export function overlappingAnswer(question: string, context: string, weightOf: (word: string) => number): string {
  const asked = new Set(wordsOf(question));
  const places = Array.from(context.matchAll(/[\p{L}\p{N}]+/gu), ({ index, 0: word }) => ({
    start: index,
    end: index + word.length,
    word: word.toLowerCase(),
  }));
  let best = { score: Number.NEGATIVE_INFINITY, answer: "" };
  for (const [first, { start }] of places.entries()) {
    let own = 0;
    for (let last = first; last < Math.min(first + LONGEST, places.length); last++) {
      const { word, end } = places[last];
      if (asked.has(word) || /[.,;:!?()]/.test(context.slice(start, end))) break;
      own += weightOf(word);
      let near = 0;
      for (let distance = 1; distance <= WINDOW; distance++) {
        for (const place of [places[first - distance], places[last + distance]]) {
          if (place !== undefined && asked.has(place.word)) near += weightOf(place.word) / (distance + 1);
        }
      }
      const score = near + own / (last - first + 2);
      if (score > best.score) best = { score, answer: context.slice(start, end) };
    }
  }
  return best.answer;
}
