import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import type { Control } from "../run/control.ts";
import { logSumExp } from "../run/softmax.ts";
import { type Answers, makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { TEXT_FORMS } from "../run/text-or-pair.ts";
import { requireTopK, topIndices, USUAL_TOP_K } from "../run/top-k.ts";
import { type BegunText, spelling, splitBegunText } from "./begun-word.ts";
import type { MaskedInput, MaskedLanguageModel } from "./masked-language-model.ts";

export interface NextWord {
  /** Probability of the word: the product of those of its pieces, each given the ones before it. */
  readonly score: number;
  /** The whole word: what was typed of it, as typed, and what completes it. */
  readonly word: string;
  /** The text with the word. */
  readonly text: string;
}

export interface NextWordOptions {
  /** Words at most, best first. Default 5. */
  readonly top_k?: number;
}

export type NextWordPipeline = TaskPipeline<string, NextWord[], NextWordOptions>;

/**
 *     const next = nextWordPipeline(model);
 *     await next("The capital of fra"); // [{ score: 0.8, word: "france", text: "The capital of france" }, ...]
 */
export function nextWordPipeline(model: MaskedLanguageModel): NextWordPipeline {
  const form = { ...TEXT_FORMS.text, options: { top_k: true } } as const;
  return makePipeline<string, NextWord[], NextWordOptions>(form, nextWords(model), () => model.dispose());
}

/**
 * Text prediction as one types: the next word after white space or punctuation, or words that begin with the letters
 * that the text ends in.
 *
 * A mask stands where the word goes, before [SEP]. What comes often there is punctuation, which is no word and left
 * out. A begun word is cut into its pieces p1 ... pn. For each k from 0 to n the model sees p1 ... pk and a mask, whose
 * candidates are the pieces that go on with the letters that are left; so words of one piece and of several compete,
 * each with the probability that its pieces have from left to right. Each word comes once, since only the pieces that
 * the tokenizer would cut it into count. A text that is too long loses its beginning.
 *
 * The function that comes back throws OPTION_INVALID, and as `Predictor.run` does.
 */
export function nextWords(
  model: MaskedLanguageModel,
): (texts: readonly string[], options?: NextWordOptions & Control) => Promise<Answers<NextWord[]>> {
  const { tokenizer, maxLength } = model;
  const lexicon = makeLexicon(tokenizer);
  return async (texts, { top_k = USUAL_TOP_K, ...control } = {}) => {
    requireTopK(top_k);
    const begun = texts.map((text) => fitting(splitBegunText(tokenizer, text), maxLength));
    const slots = begun.flatMap((text) => slotsOf(text, tokenizer, lexicon));
    const read = await model.predict(
      slots.map(({ sequence }) => sequence),
      (logits, i): Filled => {
        const { next, accepts, completion } = slots[i];
        const total = logSumExp(logits);
        const best = topIndices(logits, top_k, accepts);
        return {
          onward: next === undefined ? 0 : logits[next] - total,
          ends: best.map((id) => ({ completion: completion(id), logarithm: logits[id] - total })),
        };
      },
      control,
    );
    let from = 0;
    const results = begun.map(({ pieces, typed }, i) => {
      const filled = read.slice(from, from + pieces.length + 1).map(([slot]) => slot);
      from += filled.length;
      return wordsOf(filled, top_k).map(({ score, completion }) => ({
        score,
        word: typed + completion,
        text: append(texts[i], completion),
      }));
    });
    return { results, truncated: begun.filter(({ truncated }) => truncated).length };
  };
}

/** The letters of each token that can begin a word and of each that can continue one, by id. */
interface Lexicon {
  readonly first: readonly (string | undefined)[];
  readonly further: readonly (string | undefined)[];
}

function makeLexicon(tokenizer: BertTokenizer): Lexicon {
  const added = new Set(tokenizer.spec.addedTokens.map(({ content }) => content));
  const letters = (continuing: boolean) =>
    tokenizer.vocabulary.tokens.map((token, id) =>
      added.has(token) ? undefined : spelling(tokenizer, id, continuing),
    );
  return { first: letters(false), further: letters(true) };
}

interface FittingText extends BegunText {
  readonly truncated: boolean;
}

/** Cuts off the beginning of a text that is too long for the model together with a mask, [CLS] and [SEP]. */
function fitting(begun: BegunText, maxLength: number): FittingText {
  const pieces = begun.pieces.length + 3 <= maxLength ? begun.pieces : [];
  const room = maxLength - 3 - pieces.length;
  const { length } = begun.context;
  return { ...begun, pieces, context: begun.context.subarray(Math.max(0, length - room)), truncated: length > room };
}

/** The place behind the first k pieces of a word. */
interface Slot {
  readonly sequence: MaskedInput;
  /** The piece that the begun word has here, if it goes on. */
  readonly next: number | undefined;
  /** Whether a token may stand here as the last one of the word. */
  readonly accepts: (id: number) => boolean;
  /** The letters that such a token adds to those that are typed. */
  readonly completion: (id: number) => string;
}

/** The places for k = 0 to n. */
function slotsOf({ context, letters, pieces }: BegunText, tokenizer: BertTokenizer, lexicon: Lexicon): Slot[] {
  const { cls, mask, sep } = tokenizer.specialIds;
  return [...pieces, undefined].map((next, k) => {
    const before = pieces.slice(0, k);
    const start = before.map((piece) => piece.letters).join("");
    const rest = letters.slice(start.length);
    const spellings = k === 0 ? lexicon.first : lexicon.further;
    const ids = before.map(({ id }) => id);
    const tokens = Int32Array.of(cls, ...context, ...ids, mask, sep);
    return {
      sequence: { ids: tokens, typeIds: new Int32Array(tokens.length), positions: [tokens.length - 2] },
      next: next?.id,
      accepts: (id) => {
        const end = spellings[id];
        if (end === undefined || !end.startsWith(rest)) return false;
        return tokenizer.ids(start + end).join() === [...ids, id].join(); // as the tokenizer would cut the word
      },
      completion: (id) => spellings[id]!.slice(rest.length),
    };
  });
}

/** What the model makes of a place. */
interface Filled {
  /** log P of the piece that the begun word has here. */
  readonly onward: number;
  readonly ends: readonly { readonly completion: string; readonly logarithm: number }[];
}

/** The likeliest words of all that end at one of the places. */
function wordsOf(slots: readonly Filled[], top_k: number): { score: number; completion: string }[] {
  let before = 0; // log P(p1 ... pk)
  const words = slots.flatMap(({ onward, ends }) => {
    const here = ends.map(({ completion, logarithm }) => ({ completion, score: Math.exp(before + logarithm) }));
    before += onward;
    return here;
  });
  return words.sort((a, b) => b.score - a.score).slice(0, top_k);
}

/** Marks behind which a blank is due before a word. */
const ENDS_PHRASE = /[.,;:!?…)\]}%]$/;

function append(text: string, completion: string): string {
  return text + (ENDS_PHRASE.test(text) ? " " : "") + completion;
}
