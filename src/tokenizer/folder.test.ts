import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadTokenizer, saveTokenizer } from "./folder.node.ts";
import { BertTokenizer } from "./tokenizer.ts";

const TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "A", "a"];
const cased = BertTokenizer.fromVocabulary(TOKENS, { lowercase: false, maxLength: 512 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-tokenizer-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a tokenizer's folder", () => {
  it("is loaded as it was saved", async () => {
    const path = join(folder, "new", "model");
    await saveTokenizer(cased, path);
    expect((await readdir(path)).sort()).toEqual(["tokenizer.json", "tokenizer_config.json", "vocab.txt"]);
    expect((await loadTokenizer(path)).spec).toEqual(cased.spec);
    await rm(join(path, "tokenizer.json"));
    expect((await loadTokenizer(path)).spec).toEqual(cased.spec);
    await rm(join(path, "tokenizer_config.json"));
    expect((await loadTokenizer(path)).encode("A").tokens).toEqual(["[CLS]", "a", "[SEP]"]);
    expect((await loadTokenizer(path, { lowercase: false })).encode("A").tokens).toEqual(["[CLS]", "A", "[SEP]"]);
  });

  it("may be a single file", async () => {
    await saveTokenizer(cased, folder);
    expect((await loadTokenizer(join(folder, "tokenizer.json"))).spec.normalizer.lowercase).toBe(false);
    expect((await loadTokenizer(join(folder, "vocab.txt"))).spec.normalizer.lowercase).toBe(true);
  });

  it.each(["nothing", "nothing/vocab.txt"])("is missing: %s", async (name) => {
    await expect(loadTokenizer(join(folder, name))).rejects.toMatchObject({ code: "FILE_MISSING" });
  });

  it("holds no tokenizer", async () => {
    await writeFile(join(folder, "tokenizer_config.json"), "{}");
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "FILE_MISSING" });
  });

  it("holds no UTF-8", async () => {
    await writeFile(join(folder, "vocab.txt"), Uint8Array.of(0x61, 0xff));
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "INVALID_UTF8" });
  });

  it("cannot be written where a file is", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(saveTokenizer(cased, join(folder, "file"))).rejects.toMatchObject({ code: "FILE_NOT_WRITABLE" });
  });
});
