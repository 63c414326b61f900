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

type Change = readonly [path: string, value: unknown];

/** The file with other values at some places, "model/vocab" say; undefined takes a field out. */
function edited(...changes: Change[]): string {
  const file: object = JSON.parse(formatTokenizerJson(SPEC));
  for (const [path, value] of changes) {
    const keys = path.split("/");
    const parent = keys.slice(0, -1).reduce<object>((node, key) => Reflect.get(node, key), file);
    Reflect.set(parent, keys.at(-1)!, value);
  }
  return JSON.stringify(file);
}

describe("tokenizer.json", () => {
  it("says all of a tokenizer but the model's longest input", () => {
    expect(BertTokenizer.fromJson(edited()).spec).toEqual(SPEC);
  });

  it("is read by the Rust library", () => {
    const rust = Tokenizer.fromString(formatTokenizerJson(SPEC));
    expect(rust.getVocabSize(true)).toBe(SPEC.vocabulary.size);
    for (const [id, token] of SPEC.vocabulary.tokens.entries()) expect(rust.tokenToId(token)).toBe(id);
  });

  it("may have BERT's own post-processor", () => {
    const processor = { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] };
    expect(BertTokenizer.fromJson(edited(["post_processor", processor])).spec).toEqual(SPEC);
  });

  it("may lack what the first versions of the library did not write", () => {
    const changes = ["model/type", "padding", "added_tokens/0/normalized", "added_tokens/6/normalized"].map(
      (path): Change => [path, undefined],
    );
    const { spec } = BertTokenizer.fromJson(edited(...changes, ["decoder", null]));
    expect(spec).toEqual({ ...SPEC, cleanUpSpaces: true });
  });

  it("names the special tokens that stand around texts", () => {
    const text = formatTokenizerJson(SPEC).replaceAll("[CLS]", "<s>");
    expect(BertTokenizer.fromJson(text).encode("a").tokens[0]).toBe("<s>");
  });
});

describe("a tokenizer.json that is not BERT's", () => {
  it.each<[string, ...Change]>([
    ["another model", "model", { type: "BPE", vocab: {}, merges: [] }],
    ["another normaliser", "normalizer", { type: "NFC" }],
    ["no normaliser", "normalizer", null],
    ["another pre-tokeniser", "pre_tokenizer", { type: "Whitespace" }],
    ["another post-processor", "post_processor", { type: "RobertaProcessing" }],
    ["no post-processor", "post_processor", null],
    ["another decoder", "decoder", { type: "BPEDecoder" }],
    ["another prefix for decoding", "decoder/prefix", "@@"],
    ["no token before a text", "post_processor/single/0", { Sequence: { id: "A", type_id: 0 } }],
    ["one segment for both texts", "post_processor/pair/3/Sequence/type_id", 0],
    ["an empty template", "post_processor/single", []],
    ["a template with tokens of unknown ids", "post_processor/special_tokens", {}],
  ])("has %s", (_, ...change) => {
    const read = () => BertTokenizer.fromJson(edited(change));
    expect(read).toThrow(expect.objectContaining({ code: "TOKENIZER_UNSUPPORTED" }));
  });
});

describe("a malformed tokenizer.json", () => {
  const malformed = expect.objectContaining({ code: "TOKENIZER_MALFORMED" });

  it.each(["", '{"model":', "[]", "null"])("is no JSON object: %s", (text) => {
    expect(() => parseTokenizerJson(text)).toThrow(malformed);
  });

  it.each<Change>([
    ["model", undefined],
    ["model/vocab", undefined],
    ["model/vocab", ["a"]],
    ["model/unk_token", 1],
    ["model/max_input_chars_per_word", 0],
    ["normalizer/lowercase", "yes"],
    ["added_tokens/0/id", undefined],
    ["added_tokens/0/content", ""],
    ["post_processor/special_tokens/[CLS]/ids", [2, 3]],
  ])("has a wrong %s: %j", (path, value) => {
    const read = () => BertTokenizer.fromJson(edited([path, value]));
    expect(read).toThrow(malformed);
    expect(read).toThrow(path.replaceAll("/", "."));
  });

  it.each<[string, ...Change]>([
    ["ids with holes", "model/vocab/a", 9],
    ["an id below 0", "model/vocab/a", -1],
    ["an id that is no integer", "model/vocab/a", 7.5],
    ["an id that is no number", "model/vocab/a", "7"],
    ["two tokens with one id", "model/vocab/a", 6],
    ["an empty token", "model/vocab/", 9],
    ["an added token with another id than in the vocabulary", "added_tokens/0/id", 1],
    ["an added token beyond the vocabulary's end", "added_tokens/6/id", 12],
    ["another id for [CLS]", "post_processor/special_tokens/[CLS]/ids", [3]],
  ])("has %s", (_, ...change) => {
    const read = () => BertTokenizer.fromJson(edited(change));
    expect(read).toThrow(expect.objectContaining({ code: "VOCABULARY_MALFORMED" }));
  });

  it("lacks a special token", () => {
    const read = () => BertTokenizer.fromJson(edited(["model/unk_token", "<unk>"]));
    expect(read).toThrow(expect.objectContaining({ code: "SPECIAL_TOKEN_MISSING" }));
  });
});
