import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { adoptPacked, mapFile, type NativePrecision, type PackedParameters } from "../../executors/executor.node.ts";
import { readError } from "../../formats/file-errors.node.ts";
import { encodeSafetensors, parseSafetensors, toFloat32 } from "../../formats/safetensors.ts";
import type { ParameterSpec } from "../../graph/graph.ts";
import { type NamedParameters, type Parameter, sizeOf, unknownParameter } from "../../graph/parameters.ts";
import { requireFinite } from "./finite-weights.ts";

/** The file of weights that are packed for the native kernels; docs/native-folders.md describes it. */
export const NATIVE_WEIGHTS = "native.safetensors";

const FORMAT = "cloze-native-1";

/** Tensors begin at cache lines: packed ones, which come first, are a multiple of these long. */
const ALIGNMENT = 64;

/** The weights as the chunks of a file. */
export function encodeNativeWeights(
  { packed, plain }: PackedParameters,
  parameters: NamedParameters,
  precision: NativePrecision,
): Uint8Array[] {
  const tensors = [
    ...packed.map(({ parameter, form, data }) => {
      return { name: `${parameter} ${form}`, dtype: "U8" as const, shape: [data.byteLength], data };
    }),
    ...plain.map((name) => ({
      name,
      dtype: "F32" as const,
      shape: parameters.get(name).spec.shape,
      data: parameters.get(name).data,
    })),
  ];
  const shapes = Object.fromEntries(packed.map(({ parameter }) => [parameter, parameters.get(parameter).spec.shape]));
  return encodeSafetensors(tensors, { format: FORMAT, precision, shapes: JSON.stringify(shapes) }, ALIGNMENT);
}

const Metadata = z.object({
  format: z.literal(FORMAT),
  precision: z.enum(["fp32", "bf16", "int8"]),
  shapes: z
    .string()
    .transform((text) => JSON.parse(text))
    .pipe(z.record(z.string(), z.array(z.int().min(1)))),
});

/** A weight of the file: as it is, packed, or both. */
interface NativeWeight {
  readonly shape: readonly number[];
  readonly plain?: Float32Array;
  readonly packed?: { readonly form: string; readonly data: Uint8Array };
}

/** Packed weights in a file that is mapped into memory: the system reads what is used, when it is used. */
export class NativeWeights {
  readonly precision: NativePrecision;
  readonly weights: ReadonlyMap<string, NativeWeight>;
  readonly #path: string;

  private constructor(path: string, precision: NativePrecision, weights: ReadonlyMap<string, NativeWeight>) {
    this.#path = path;
    this.precision = precision;
    this.weights = weights;
  }

  /**
   * Those of a folder; undefined where it has none, or others too. Throws FILE_MISSING, DEVICE_UNAVAILABLE where there are no
   * native kernels, SAFETENSORS_HEADER for a file that says something else, and the errors of `parseSafetensors`.
   */
  static async open(folder: string): Promise<NativeWeights | undefined> {
    if (!(await hasOnlyNativeWeights(folder))) return undefined;
    const path = join(folder, NATIVE_WEIGHTS);
    const { metadata, tensors } = parseSafetensors(new Uint8Array(mapped(path)), path);
    const { precision, shapes } = parseMetadata(path, metadata);
    const weights = new Map<string, NativeWeight>();
    for (const [stored, tensor] of tensors) {
      const space = stored.indexOf(" ");
      if (space < 0) {
        weights.set(stored, { ...weights.get(stored), shape: tensor.shape, plain: toFloat32(tensor) });
        continue;
      }
      const name = stored.slice(0, space);
      const packed = { form: stored.slice(space + 1), data: tensor.data };
      weights.set(name, { ...weights.get(name), shape: shapes[name] ?? tensor.shape, packed });
    }
    return new NativeWeights(path, precision, weights);
  }

  /**
   * The weights that a model wants. Throws MODEL_INCOMPLETE, PARAMETER_SHAPE, and WEIGHTS_NOT_FINITE for those that are there
   * as they are; packed ones were finite when they were exported, and to look again would read all of the file.
   */
  parameters(specs: readonly ParameterSpec[]): NamedParameters {
    const missing = specs.filter(({ name }) => !this.weights.has(name)).map(({ name }) => name);
    if (missing.length > 0) {
      throw new ClozeError("MODEL_INCOMPLETE", {
        problem: `${this.#path} lacks ${missing.length} of the model's ${specs.length} weights`,
        expected: missing.slice(0, 3).join(", ") + (missing.length > 3 ? ", ..." : ""),
        cure: "Choose the task that the model was made for, or export it again.",
      });
    }
    const parameters = new MappedParameters(specs.map((spec) => this.#parameter(spec)));
    adoptPacked(
      parameters,
      specs.flatMap(({ name }) => {
        const packed = this.weights.get(name)?.packed;
        return packed ? [{ parameter: name, ...packed }] : [];
      }),
    );
    return parameters;
  }

  #parameter(spec: ParameterSpec): Parameter {
    const { shape, plain, packed } = this.weights.get(spec.name)!;
    if (shape.join() !== spec.shape.join()) {
      throw new ClozeError("PARAMETER_SHAPE", {
        problem: `${this.#path}: ${spec.name} does not fit the model that config.json describes`,
        expected: `[${spec.shape.join(", ")}]`,
        received: `[${shape.join(", ")}]`,
      });
    }
    if (plain !== undefined) {
      const parameter = { spec, data: plain };
      requireFinite(this.#path, parameter);
      return parameter;
    }
    const refused = new ClozeError("WEIGHTS_PACKED", {
      problem: `${this.#path} has ${spec.name} for other kernels than those that ask for it`,
      expected: `the processor's own, in ${this.precision}, which read ${packed?.form}`,
      cure: "Leave --precision and --device out, or export the model again on this machine.",
    });
    return {
      spec,
      get data(): Float32Array {
        throw refused;
      },
    };
  }
}

class MappedParameters implements NamedParameters {
  readonly #byName: ReadonlyMap<string, Parameter>;

  constructor(parameters: readonly Parameter[]) {
    this.#byName = new Map(parameters.map((parameter) => [parameter.spec.name, parameter]));
  }

  get(name: string): Parameter {
    const parameter = this.#byName.get(name);
    if (parameter) return parameter;
    throw unknownParameter(name);
  }
}

/** Throws WEIGHTS_PACKED where a folder's weights are of no use for training. */
export async function refuseNativeWeights(folder: string): Promise<void> {
  if (!(await hasOnlyNativeWeights(folder))) return;
  throw new ClozeError("WEIGHTS_PACKED", {
    problem: `the weights in ${folder} are packed for inference`,
    expected: "a model.safetensors",
    received: NATIVE_WEIGHTS,
    cure: "Start from the folder that it was exported from.",
  });
}

/** A folder that has both was trained anew after the export. */
async function hasOnlyNativeWeights(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []); // what is wrong with the folder is its opener's to tell
  return names.includes(NATIVE_WEIGHTS) && !names.includes("model.safetensors");
}

function mapped(path: string): ArrayBuffer {
  try {
    return mapFile(path);
  } catch (error) {
    throw error instanceof ClozeError ? error : readError(path, error);
  }
}

function parseMetadata(path: string, metadata: ReadonlyMap<string, string>): z.infer<typeof Metadata> {
  try {
    return Metadata.parse(Object.fromEntries(metadata));
  } catch (cause) {
    throw new ClozeError("SAFETENSORS_HEADER", {
      problem: `${path} does not hold packed weights of a kind that is known`,
      expected: `the format ${FORMAT}, a precision, and shapes, in its metadata`,
      received: JSON.stringify(Object.fromEntries(metadata)).slice(0, 200),
      cure: "Export the model again.",
      cause,
    });
  }
}

/** How many numbers a weight stands for, and the bytes that they take. */
export function describeWeight({ shape, plain, packed }: NativeWeight) {
  const forms = [...(plain ? ["F32"] : []), ...(packed ? [packed.form] : [])];
  return { dtype: forms.join(" and "), shape, bytes: (plain ? 4 * sizeOf(shape) : 0) + (packed?.data.byteLength ?? 0) };
}
