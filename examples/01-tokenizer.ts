/** A vocabulary from a few lines of text, and what the tokenizer tells about each token: `npx tsx examples/01-tokenizer.ts` */
import { BertTokenizer, trainVocabulary } from "cloze";

const lines = [
  "The cloze test was described by Wilson Taylor in 1953.",
  "A cloze test hides words of a text; the reader guesses the hidden words.",
  "Guessing hidden words is how BERT learns a language.",
];
const { tokens } = await trainVocabulary(lines, { size: 160 });
const tokenizer = BertTokenizer.fromVocabulary(tokens);

const text = "Guess the HIDDEN word!";
const encoding = tokenizer.encode(text);
encoding.tokens.forEach((token, i) => {
  const [start, end] = encoding.offsets.subarray(2 * i, 2 * i + 2);
  console.log(token.padEnd(10), String(encoding.ids[i]).padStart(4), JSON.stringify(text.slice(start, end)));
});
console.log(tokenizer.decode(encoding.ids));

// Texts longer than the model takes become windows that overlap.
const windows = tokenizer.encodeWindows(lines.join(" "), { maxLength: 16, stride: 4 });
console.log(`${windows.length} windows of at most 16 tokens, each sharing 4 with the one before`);
