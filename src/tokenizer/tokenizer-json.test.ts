import { Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import { describeTokenizer } from "./spec.ts";
import { BertTokenizer } from "./tokenizer.ts";
import { formatTokenizerJson, parseTokenizerJson } from "./tokenizer-json.ts";

const SPEC = describeTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "__proto__", "10", "a", "##b"], {
  addedTokens: [
    { content: "[E1]", special: true, stripLeft: true },
    { content: "ab", singleWord: true },
  ],
  stripAccents: false,
  cleanText: false,
  maxWordLength: 7,
  cleanUpSpaces: false,
});

// biome-ignore lint/suspicious/noExplicitAny: these tests put all sorts of things where they do not belong
type File = any;
const file = (): File => JSON.parse(formatTokenizerJson(SPEC));
const fromJson = (json: unknown) => BertTokenizer.fromFiles({ "tokenizer.json": JSON.stringify(json) });

describe("tokenizer.json", () => {
  it("says all of a tokenizer but the model's longest input", () => {
    expect(fromJson(file()).spec).toEqual(SPEC);
  });

  it("is read by the Rust library", () => {
    const rust = Tokenizer.fromString(formatTokenizerJson(SPEC));
    expect(rust.getVocabSize(true)).toBe(SPEC.vocabulary.size);
    for (const [id, token] of SPEC.vocabulary.tokens.entries()) expect(rust.tokenToId(token)).toBe(id);
  });

  it("may have BERT's own post-processor", () => {
    const json = { ...file(), post_processor: { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] } };
    expect(fromJson(json).spec).toEqual(SPEC);
  });

  it("may lack what the first versions of the library did not write", () => {
    const json = file();
    json.decoder = null;
    delete json.model.type;
    delete json.padding;
    for (const token of json.added_tokens) delete token.normalized;
    expect(fromJson(json).spec).toEqual({ ...SPEC, cleanUpSpaces: true });
  });

  it("names the special tokens that stand around texts", () => {
    const text = formatTokenizerJson(SPEC).replaceAll("[CLS]", "<s>");
    expect(BertTokenizer.fromFiles({ "tokenizer.json": text }).encode("a").tokens[0]).toBe("<s>");
  });
});

describe("a tokenizer.json that is not BERT's", () => {
  const unsupported = expect.objectContaining({ code: "TOKENIZER_UNSUPPORTED" });

  it.each<[string, (json: File) => void]>([
    ["another model", (json) => (json.model = { type: "BPE", vocab: {}, merges: [] })],
    ["another normaliser", (json) => (json.normalizer = { type: "NFC" })],
    ["no normaliser", (json) => (json.normalizer = null)],
    ["another pre-tokeniser", (json) => (json.pre_tokenizer = { type: "Whitespace" })],
    ["another post-processor", (json) => (json.post_processor = { type: "RobertaProcessing" })],
    ["no post-processor", (json) => (json.post_processor = null)],
    ["another decoder", (json) => (json.decoder = { type: "BPEDecoder" })],
    ["another prefix for decoding", (json) => (json.decoder.prefix = "@@")],
    ["no token before a text", (json) => json.post_processor.single.shift()],
    ["one segment for both texts", (json) => (json.post_processor.pair[3].Sequence.type_id = 0)],
    ["an empty template", (json) => (json.post_processor.single = [])],
    ["a template with tokens of unknown ids", (json) => (json.post_processor.special_tokens = {})],
  ])("has %s", (_, change) => {
    const json = file();
    change(json);
    expect(() => fromJson(json)).toThrow(unsupported);
  });
});

describe("a malformed tokenizer.json", () => {
  const malformed = expect.objectContaining({ code: "TOKENIZER_MALFORMED" });

  it("is not JSON", () => {
    expect(() => parseTokenizerJson('{"model":')).toThrow(malformed);
    expect(() => parseTokenizerJson("")).toThrow(malformed);
    expect(() => parseTokenizerJson("[]")).toThrow(malformed);
  });

  it.each<[string, (json: File) => void]>([
    ["model", (json) => delete json.model],
    ["model.vocab", (json) => delete json.model.vocab],
    ["model.vocab", (json) => (json.model.vocab = ["a"])],
    ["model.unk_token", (json) => (json.model.unk_token = 1)],
    ["model.max_input_chars_per_word", (json) => (json.model.max_input_chars_per_word = 0)],
    ["normalizer.lowercase", (json) => (json.normalizer.lowercase = "yes")],
    ["added_tokens.0.id", (json) => delete json.added_tokens[0].id],
    ["added_tokens.0.content", (json) => (json.added_tokens[0].content = "")],
    ["post_processor.special_tokens.[CLS].ids", (json) => (json.post_processor.special_tokens["[CLS]"].ids = [2, 3])],
  ])("has a wrong %s", (field, change) => {
    const json = file();
    change(json);
    expect(() => fromJson(json)).toThrow(malformed);
    expect(() => fromJson(json)).toThrow(field);
  });

  it.each<[string, (json: File) => void]>([
    ["ids with holes", (json) => (json.model.vocab.a = 9)],
    ["an id below 0", (json) => (json.model.vocab.a = -1)],
    ["an id that is no integer", (json) => (json.model.vocab.a = 7.5)],
    ["an id that is no number", (json) => (json.model.vocab.a = "7")],
    ["two tokens with one id", (json) => (json.model.vocab.a = 6)],
    ["an empty token", (json) => (json.model.vocab[""] = 9)],
    ["an added token with another id than in the vocabulary", (json) => (json.added_tokens[0].id = 1)],
    ["an added token beyond the vocabulary's end", (json) => (json.added_tokens.at(-1).id = 12)],
    ["another id for [CLS]", (json) => (json.post_processor.special_tokens["[CLS]"].ids = [3])],
  ])("has %s", (_, change) => {
    const json = file();
    change(json);
    expect(() => fromJson(json)).toThrow(expect.objectContaining({ code: "VOCABULARY_MALFORMED" }));
  });

  it("lacks a special token", () => {
    const json = file();
    json.model.unk_token = "<unk>";
    expect(() => fromJson(json)).toThrow(expect.objectContaining({ code: "SPECIAL_TOKEN_MISSING" }));
  });
});
