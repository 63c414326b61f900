import { describe, expect, it } from "vitest";
import { describeTokenizer } from "./spec.ts";
import { describeTokenizerFiles, formatTokenizerFiles } from "./tokenizer-files.ts";

const TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b"];
const SPEC = describeTokenizer(TOKENS, { lowercase: false, maxLength: 128, addedTokens: [{ content: "[E1]" }] });
const FILES = formatTokenizerFiles(SPEC);
const { "vocab.txt": vocabulary, "tokenizer_config.json": config } = FILES;

const withConfig = (changes: object) =>
  describeTokenizerFiles({ "vocab.txt": vocabulary, "tokenizer_config.json": JSON.stringify(changes) });

describe("a tokenizer's files", () => {
  it("hold all of it", () => {
    expect(describeTokenizerFiles(FILES)).toEqual(SPEC);
    expect(describeTokenizerFiles({ "vocab.txt": vocabulary, "tokenizer_config.json": config })).toEqual(SPEC);
  });

  it("are uncased where there is only a vocabulary", () => {
    expect(describeTokenizerFiles({ "vocab.txt": vocabulary })).toEqual(describeTokenizer(TOKENS));
  });

  it("give way to tokenizer_config.json, and that to the caller", () => {
    const files = { ...FILES, "tokenizer_config.json": '{"do_lower_case": true, "strip_accents": false}' };
    expect(describeTokenizerFiles(files).normalizer).toMatchObject({ lowercase: true, stripAccents: false });
    expect(describeTokenizerFiles(files, { lowercase: false }).normalizer).toMatchObject({ lowercase: false });
    expect(describeTokenizerFiles(files, { lowercase: undefined }).normalizer).toMatchObject({ lowercase: true });
    expect(describeTokenizerFiles(files, { maxLength: 64 }).maxLength).toBe(64);
  });

  it("lack a vocabulary", () => {
    const missing = expect.objectContaining({ code: "FILE_MISSING" });
    expect(() => describeTokenizerFiles({ "tokenizer_config.json": config })).toThrow(missing);
  });

  it("hold a malformed vocabulary", () => {
    const malformed = expect.objectContaining({ code: "VOCABULARY_MALFORMED" });
    expect(() => describeTokenizerFiles({ "vocab.txt": `${vocabulary}a\n` })).toThrow(malformed);
    expect(() => describeTokenizerFiles({ "vocab.txt": `${vocabulary}\nb\n` })).toThrow(malformed);
  });
});

describe("tokenizer_config.json", () => {
  it("may name other special tokens, as text or with their properties", () => {
    const files = {
      "vocab.txt": vocabulary.replace("[PAD]", "<pad>").replace("[MASK]", "<mask>"),
      "tokenizer_config.json":
        '{"pad_token": "<pad>", "mask_token": {"content": "<mask>", "lstrip": true}, "cls_token": null}',
    };
    const { specialTokens } = describeTokenizerFiles(files);
    expect(specialTokens).toEqual({ pad: "<pad>", unk: "[UNK]", cls: "[CLS]", sep: "[SEP]", mask: "<mask>" });
  });

  it("may leave the longest input open", () => {
    expect(withConfig({ model_max_length: 512 }).maxLength).toBe(512);
    expect(withConfig({ model_max_length: 1e30 }).maxLength).toBe(Infinity);
    expect(withConfig({}).maxLength).toBe(Infinity);
    expect(JSON.parse(formatTokenizerFiles(withConfig({}))["tokenizer_config.json"])).not.toHaveProperty(
      "model_max_length",
    );
  });

  it.each(["BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", null])("may name the class %s", (name) => {
    expect(withConfig({ tokenizer_class: name }).vocabulary.tokens).toEqual(TOKENS);
  });

  it.each(["BertJapaneseTokenizer", "RobertaTokenizerFast", ""])("must not name the class %s", (name) => {
    expect(() => withConfig({ tokenizer_class: name })).toThrow(
      expect.objectContaining({ code: "TOKENIZER_UNSUPPORTED" }),
    );
  });

  it("may name any class beside a tokenizer.json, which says the same better", () => {
    const files = { ...FILES, "tokenizer_config.json": '{"tokenizer_class": "PreTrainedTokenizerFast"}' };
    expect(describeTokenizerFiles(files).vocabulary).toEqual(SPEC.vocabulary);
  });

  it.each([
    ["do_lower_case", "yes"],
    ["do_basic_tokenize", false],
    ["never_split", ["a"]],
    ["strip_accents", 1],
    ["tokenize_chinese_chars", null],
    ["model_max_length", "512"],
    ["model_max_length", 0],
    ["mask_token", 4],
    ["added_tokens_decoder", { a: { content: "a" } }],
    ["added_tokens_decoder", { 7: { special: true } }],
    ["tokenizer_class", 1],
  ])("has a wrong %s: %j", (field, value) => {
    const malformed = expect.objectContaining({ code: "TOKENIZER_MALFORMED" });
    expect(() => withConfig({ [field]: value })).toThrow(malformed);
    expect(() => withConfig({ [field]: value })).toThrow(field);
  });

  it("is not JSON", () => {
    const files = { "vocab.txt": vocabulary, "tokenizer_config.json": "{" };
    expect(() => describeTokenizerFiles(files)).toThrow(expect.objectContaining({ code: "TOKENIZER_MALFORMED" }));
  });

  it.each([
    ["an id that is not the vocabulary's", { 6: { content: "a" } }],
    ["a hole before an added token", { 9: { content: "[E1]" } }],
  ])("has %s", (_, added_tokens_decoder) => {
    expect(() => withConfig({ added_tokens_decoder })).toThrow(
      expect.objectContaining({ code: "VOCABULARY_MALFORMED" }),
    );
  });
});
