import { writeFile } from "node:fs/promises";
import { encodeSafetensors, type NamedTensor } from "../src/formats/safetensors.ts";

/** Writes a safetensors file. */
export async function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFile(path, encodeSafetensors(tensors, metadata));
}
