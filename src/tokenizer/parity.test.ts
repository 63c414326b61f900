import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { constants, gunzipSync } from "node:zlib";
import fc from "fast-check";
import { type Encoding as RustEncoding, Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import type { Encoding } from "./encoding.ts";
import type { TokenizerOptions } from "./spec.ts";
import { BertTokenizer } from "./tokenizer.ts";
import { formatTokenizerJson } from "./tokenizer-json.ts";
import { parseVocabularyText } from "./vocabulary.ts";

const SHARED = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

/** Enough to cut words of several scripts into pieces, and to fail on others. */
const SMALL_VOCABULARY = (() => {
  const characters = [
    ..."abcdefghijklmnopqrstuvwxyzABCßéıøαβγδεσςабвгдежאבגعربक्षि中国語かなカ한국한ᄀ0123456789.,;:!?'\"()[]-😀",
  ];
  const words = ["the", "##ing", "##ed", "un", "##aff", "##able", "hello", "wörld", "##ld", "국가", "##ا", "##ᅮ", "مر"];
  return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...characters, ...characters.map((c) => `##${c}`), ...words];
})();

function sharedVocabulary(name: string): string[] {
  const path = `${SHARED}vocab/${name}/vocab.txt`;
  if (existsSync(path)) return parseVocabularyText(readFileSync(path, "utf8"));
  process.stdout.write(`parity.test.ts: ${path} is absent; a small vocabulary takes its place\n`);
  return SMALL_VOCABULARY;
}

const uncased = sharedVocabulary("bert-base-uncased");
const cased = sharedVocabulary("bert-base-cased");

const settings: [name: string, vocabulary: string[], options: TokenizerOptions][] = [
  ["uncased", uncased, {}],
  ["cased", cased, { lowercase: false }],
  ["small", SMALL_VOCABULARY, { maxWordLength: 12 }],
  ["lower case with accents", uncased, { stripAccents: false }],
  [
    "case without accents or ideographs apart",
    cased,
    { lowercase: false, stripAccents: true, handleChineseChars: false },
  ],
  ["without clean-up", uncased, { cleanText: false }],
];

const SCRIPTS = [
  ["English", "The quick-witted fox (aged 7½) didn't jump — it *strolled*; cost: $4.50, e-mail: fox@example.org… OK?"],
  ["German", "Größere Füchse überqueren die Straße; ÄRGERLICH, daß der Fluß so weiß schäumt. „Schön!“, rief er."],
  ["French", "L’été dernier, Noël chantait déjà : « où est l’œuvre ? » Ça coûte 12 € à peine."],
  ["Turkish", "İstanbul'da ılık bir gün; IŞIK ve ışık, ÇİÇEK ile çiçek aynı değil. Diyarbakır'ın İĞDE'si."],
  ["Vietnamese", "Những con cáo nhanh nhẹn vượt qua sông; trời đã tối, nhưng tiếng hát vẫn còn."],
  ["Greek", "Ο ΟΔΥΣΣΕΥΣ γύρισε σπίτι του. Τὸν ἄνδρα μοι ἔννεπε, Μοῦσα· πολύτροπον; ναί."],
  ["Russian", "Съешь же ещё этих мягких французских булок; ёлка, объём, Йод — «хорошо»!"],
  ["Hebrew", "שָׁלוֹם עֲלֵיכֶם! הילד אכל 3 תפוחים־גדולים, והלך הביתה."],
  ["Arabic", "ذَهَبَ الوَلَدُ إلى المدرسةِ، وقرأ ٣ كُتُبٍ؛ أليس كذلك؟ لا إله ـــ"],
  ["Hindi", "लड़का किताब पढ़ता है। क्या यह ज़रूरी नहीं है? श्रीमती जी ने कहा॥"],
  ["Bengali", "ছেলেটি বই পড়ে। কোথায় যাবে তো? বাংলাদেশের নৌকো।"],
  ["Tamil", "அவன் ஒரு கதை சொன்னான்; கொடுத்தது போதும் ஔவையார்."],
  ["Thai", "เด็กชายอ่านหนังสืออยู่ที่บ้าน น้ำใจงาม ฯลฯ"],
  ["Burmese", "ကလေးသည် စာအုပ် ဖတ်နေသည်။"],
  ["Tibetan", "བོད་ཀྱི་དཔེ་ཆ་ཞིག་ཡིན། ༄༅།"],
  ["Chinese", "狐狸跳过了懒狗，然后说：“你好！”𠀀𪜶是罕见的字。價錢３００元"],
  ["Japanese", "きつねは犬を飛び越えた。ガラスとカタカナ、ﾊﾝｶｸもある！「ほんとう？」々〆ヶ"],
  ["Korean", "빠른 여우가 게으른 개를 뛰어넘었다. 값은 얼마입니까? 한글 ㅋㅋㅋ"],
  ["emoji", "👩‍👩‍👧‍👦 went to 🏳️‍🌈🇫🇷 with 👍🏽 and ☎️ ❤️‍🔥 #️⃣1️⃣"],
  [
    "oddities",
    "a\u0000b\ufffdc\ud800d \udc00\u200bzero\u200dwidth\u00adsoft\u2028line\u0085next \ufefffi ﬁ ﬃ Ǆ ﷺ ㎏ ½ ① ꜰ",
  ],
];

/** Rust counts offsets in code points; the place of each in UTF-16 units, the end included. */
function unitsOfPoints(text: string): number[] {
  const places = [0];
  for (const character of text) places.push(places.at(-1)! + character.length);
  return places;
}

function columnsOf(encoding: Encoding) {
  const { ids, offsets, wordIds, typeIds, sequenceIds, specialTokensMask } = encoding;
  return [ids, offsets, wordIds, typeIds, sequenceIds, specialTokensMask].map((column) => column.join(" "));
}

function rustColumnsOf(encoding: RustEncoding, texts: readonly string[]) {
  const places = texts.map(unitsOfPoints);
  const sequences = encoding.getSequenceIds().map((sequence) => sequence ?? -1);
  return [
    encoding.getIds(),
    encoding.getOffsets().flatMap((range, row) => range.map((point) => (places[sequences[row]] ?? [0])[point])),
    encoding.getWordIds().map((word) => word ?? -1),
    encoding.getTypeIds(),
    sequences,
    encoding.getSpecialTokensMask(),
  ].map((column) => column.join(" "));
}

/** Characters that something special happens to, then some of whole blocks, then any. */
const character = fc.oneof(
  fc.constantFrom(
    ..."İıΣσςßﬁŉǅÅé≠;Ω\u0000\ufffd\u00ad\u200b\u200d\u0085\u00a0\u3000\t\n 中\u{20000}豈😀\u{1f468}\ud800\udc00",
  ),
  fc.constantFrom(..."\u0301\u0316\u0334\u0345\u302e\u1dfb\u08d4\u08d3\u1bf2\u{1d165}\u{1e000}\u{10efd}\u{11938}"),
  fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0x61, max: 0x7a }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0x80, max: 0x600 }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0x600, max: 0x3100 }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0xac00, max: 0xd7a3 }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)), // lone surrogates included
);
const piece = fc.oneof(
  { weight: 20, arbitrary: character },
  { weight: 2, arbitrary: fc.constantFrom("unaffable", "Hello", "Wörld's", "ing", " ", "[MASK]", "[SEP]", "[mask]") },
  { weight: 1, arbitrary: fc.tuple(character, fc.integer({ min: 98, max: 102 })).map(([c, n]) => c.repeat(n)) },
);
const anyText = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));

describe.each(settings)("ids, offsets and words as in Rust: %s", (_, vocabulary, options) => {
  const tokenizer = BertTokenizer.fromVocabulary(vocabulary, options);
  const rust = Tokenizer.fromString(formatTokenizerJson(tokenizer.spec));

  async function expectSame(text: string, pair?: string) {
    const encoding = tokenizer.encode(text, { pair });
    const expected = await rust.encode(text, pair ?? null);
    expect(columnsOf(encoding)).toEqual(rustColumnsOf(expected, pair === undefined ? [text] : [text, pair]));
  }

  it("for random Unicode", async () => {
    await fc.assert(fc.asyncProperty(anyText, fc.option(anyText, { nil: undefined, freq: 8 }), expectSame), {
      numRuns: 1500,
    });
  });

  it("for the ids alone", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.ids(text)).toEqual(tokenizer.encode(text, { addSpecialTokens: false }).ids);
      }),
      { numRuns: 200 },
    );
  });

  it.each(SCRIPTS)("for %s", async (_, text) => {
    await expectSame(text);
  });
});

describe("real text", () => {
  const tokenizer = BertTokenizer.fromVocabulary(uncased);

  it("has a tokenizer.json that says the same as vocab.txt", ({ skip }) => {
    const path = `${SHARED}vocab/bert-base-uncased/tokenizer.json`;
    skip(!existsSync(path), `${path} is absent`);
    expect(BertTokenizer.fromJson(readFileSync(path, "utf8")).spec).toEqual(tokenizer.spec);
  });

  const rust = Tokenizer.fromString(formatTokenizerJson(tokenizer.spec));

  for (const part of ["wikipedia-en-2015/part-15", "gutenberg/part-01"]) {
    const path = `${SHARED}corpora/${part}.jsonl.gz`;
    it(`has the same ids and offsets: ${part}`, async ({ skip }) => {
      skip(!existsSync(path), `${path} is absent`);
      const start = gunzipSync(readFileSync(path).subarray(0, 300_000), { finishFlush: constants.Z_SYNC_FLUSH });
      const rows = start.toString().split("\n").slice(0, -1);
      const texts = rows.map((row) => JSON.parse(row).text as string);
      expect(texts.length).toBeGreaterThan(0);
      for (const text of texts) {
        expect(columnsOf(tokenizer.encode(text))).toEqual(rustColumnsOf(await rust.encode(text), [text]));
      }
    });
  }
});
