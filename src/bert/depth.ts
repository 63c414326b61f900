import type { BertConfig } from "./config.ts";

/**
 * How far a weight is from the input: 0 for the embeddings, 1 to L for the layers, L + 1 for what stands above them, which
 * is the pooler and the heads.
 */
export function depthOf(name: string, { layers }: Pick<BertConfig, "layers">): number {
  if (name.startsWith("bert.embeddings.")) return 0;
  const layer = /^bert\.encoder\.layer\.(\d+)\./.exec(name)?.[1];
  return layer === undefined ? layers + 1 : Number(layer) + 1;
}
