import fc from "fast-check";
import { expect, test } from "vitest";
import { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { splitBegunText } from "./begun-word.ts";

const VOCABULARY = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "[MASK]",
  "the",
  "fr",
  "##a",
  "caf",
  "##e",
  ".",
  "-",
  "北",
  "1",
  "##9",
];
const uncased = BertTokenizer.fromVocabulary(VOCABULARY);

test.each<[text: string, context: string, typed: string, letters: string, pieces: string]>([
  ["the fra", "the", "fra", "fra", "fr a"],
  ["the Fra", "the", "Fra", "fra", "fr a"],
  ["the café", "the", "café", "cafe", "caf e"],
  ["the 19", "the", "19", "19", "1 9"],
  ["the", "", "the", "the", "the"],
  ["the-fr", "the -", "fr", "fr", "fr"],
  ["the ", "the", "", "", ""],
  ["the\n", "the", "", "", ""],
  ["the.", "the .", "", "", ""],
  ["the北", "the 北", "", "", ""],
  ["the [MASK]", "the [MASK]", "", "", ""],
  ["the xyz", "the", "xyz", "xyz", ""],
  ["", "", "", "", ""],
  [" ", "", "", "", ""],
])("%j", (text, context, typed, letters, pieces) => {
  const begun = splitBegunText(uncased, text);
  expect({ typed: begun.typed, letters: begun.letters }).toEqual({ typed, letters });
  expect(Array.from(begun.context, (id) => VOCABULARY[id]).join(" ")).toBe(context);
  expect(begun.pieces.map((piece) => piece.letters).join(" ")).toBe(pieces);
});

test("a cased tokenizer keeps case and accents", () => {
  const cased = BertTokenizer.fromVocabulary([...VOCABULARY, "Fr", "##é"], { lowercase: false });
  expect(splitBegunText(cased, "the Fré").letters).toBe("Fré");
});

test("no token is lost between context and pieces, in texts of any kind", () => {
  const part = fc.oneof(
    fc.constantFrom("the", "fra", "café", " ", ".", "北"),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const text = parts.join("");
      const { context, typed, letters, pieces } = splitBegunText(uncased, text);
      expect(text.endsWith(typed)).toBe(true);
      const ids = [...context, ...pieces.map(({ id }) => id)];
      if (letters === "" || pieces.length > 0) expect(ids).toEqual([...uncased.ids(text)]);
      else expect(ids).toEqual([...uncased.ids(text)].slice(0, ids.length));
    }),
  );
});
