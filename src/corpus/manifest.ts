import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { faultsOf, plainWords } from "../base/plain-words.ts";
import { formatJson, parseJson } from "../formats/json.ts";
import { LINE_MODES } from "./sentences.ts";

/** The version of the form; a change that old readers would misunderstand raises it. */
const FORM = 1;

const Count = z.int().min(0);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const ManifestSchema = z.object({
  form: z.literal(FORM),
  /** Which of how many parts of the corpus this is, from 1. */
  part: z.object({ index: z.int().min(1), of: z.int().min(1) }).refine(({ index, of }) => index <= of),
  /** The files that it was made from, in order; each part has read all of them. */
  sources: z.array(z.object({ name: z.string(), bytes: Count, sha256: Sha256 })),
  /** The hash covers the tokens and what the normaliser does, see vocabulary-hash.node.ts. */
  vocabulary: z.object({ size: z.int().min(1), sha256: Sha256 }),
  lines: z.enum(LINE_MODES),
  locale: z.string(),
  textColumn: z.string(),
  counts: z.object({
    documents: Count,
    sentences: Count,
    tokens: Count,
    /** Those of the tokens that are the unknown one. */
    unknownTokens: Count,
    /** UTF-16 units of text. */
    characters: Count,
    /** Documents without a token, which were left out. */
    emptyDocuments: Count,
  }),
  shards: z.array(
    z.object({
      file: z.string().regex(/^[\w.-]+$/),
      sha256: Sha256,
      tokens: z.int().min(1),
      documents: z.int().min(1),
      sentences: z.int().min(1),
    }),
  ),
});

/** What one part of a corpus was made of, and the shards that it consists of. */
export type Manifest = z.infer<typeof ManifestSchema>;
export type Part = Manifest["part"];
export type ManifestShard = Manifest["shards"][number];

export function makeManifest(content: Omit<Manifest, "form">): Manifest {
  return { form: FORM, ...content };
}

export function formatManifest(manifest: Manifest): string {
  return formatJson(manifest);
}

/**
 * @param source names the file in errors
 * @throws ClozeError CORPUS_MALFORMED
 */
export function parseManifest(text: string, source: string): Manifest {
  const json = parseJson(text, (fault, cause) => {
    throw malformedManifest(source, fault, cause);
  });
  const result = ManifestSchema.safeParse(json, { error: plainWords });
  if (result.success) return result.data;
  throw malformedManifest(source, faultsOf(result.error, 3));
}

/** 3 of 64 -> "0003-of-0064" */
function partName({ index, of }: Part): string {
  return `${String(index).padStart(4, "0")}-of-${String(of).padStart(4, "0")}`;
}

export function manifestName(part: Part): string {
  return `manifest-${partName(part)}.json`;
}

/**
 * The name of a shard, by its number from 1 and its content. So shards that are made anew lie beside those that they
 * replace until the manifest, which is written last, names them instead.
 */
export function shardName(part: Part, number: number, sha256: string): string {
  return `shard-${partName(part)}-${String(number).padStart(5, "0")}-${sha256.slice(0, 12)}.safetensors`;
}

/** Whole names: files of a part are deleted with it, and others that only begin so are somebody's texts. */
const MANIFEST = /^manifest-(\d{4,})-of-(\d{4,})\.json$/;
const SHARD = /^shard-(\d{4,})-of-(\d{4,})-\d{5,}-[0-9a-f]{12}\.safetensors$/;

/** Which part a manifest, a shard, or what a killed writer left of either belongs to; undefined for any other file. */
export function partOfFile(name: string): (Part & { readonly isManifest: boolean }) | undefined {
  const whole = name.replace(/^\.(.+)\.(?:new|old)-\d+-[0-9a-f]{12}$/, "$1");
  const match = MANIFEST.exec(whole) ?? SHARD.exec(whole);
  if (match === null) return undefined;
  return { index: Number(match[1]), of: Number(match[2]), isManifest: name.startsWith("manifest") };
}

function malformedManifest(source: string, received: string, cause?: unknown): ClozeError {
  return new ClozeError("CORPUS_MALFORMED", {
    problem: `${source} is no manifest of a corpus, or of another version`,
    received,
    cure: "Prepare this part of the corpus anew with --overwrite.",
    cause,
  });
}
