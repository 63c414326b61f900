import { ClozeError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { ParameterSpec } from "./graph.ts";

export interface Parameter {
  readonly spec: ParameterSpec;
  readonly data: Float32Array;
}

/** Parameters, wherever they lie. */
export interface NamedParameters {
  /** Throws NAME_UNKNOWN. */
  get(name: string): Parameter;
}

export interface ParameterView extends Parameter {
  /** Where it begins in the flat buffer, in elements. */
  readonly offset: number;
}

/** All parameters of a model in one flat buffer, in the order of their specs, with a view for each name. */
export class Parameters implements NamedParameters {
  readonly buffer: Float32Array;
  readonly views: readonly ParameterView[];
  readonly #byName: ReadonlyMap<string, ParameterView>;

  constructor(specs: readonly ParameterSpec[]) {
    const sizes = specs.map(({ shape }) => sizeOf(shape));
    this.buffer = new Float32Array(sizes.reduce((a, b) => a + b, 0));
    let offset = 0;
    this.views = specs.map((spec, i) => {
      const view = { spec, offset, data: this.buffer.subarray(offset, offset + sizes[i]) };
      offset += sizes[i];
      return view;
    });
    this.#byName = new Map(this.views.map((view) => [view.spec.name, view]));
  }

  get count(): number {
    return this.buffer.length;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Throws NAME_UNKNOWN. */
  get(name: string): ParameterView {
    const view = this.#byName.get(name);
    if (view) return view;
    throw unknownParameter(name);
  }

  /** A second buffer of the same layout, for gradients. */
  like(): Parameters {
    return new Parameters(this.views.map(({ spec }) => spec));
  }
}

export function unknownParameter(name: string): ClozeError {
  return new ClozeError("NAME_UNKNOWN", { problem: `the model has no parameter "${name}"` });
}

/** Checks that the parameters are those of a graph. Throws NAME_UNKNOWN and PARAMETER_SHAPE. */
export function requireParameters(specs: readonly ParameterSpec[], parameters: NamedParameters): void {
  for (const { name, shape } of specs) {
    const { spec } = parameters.get(name);
    if (String(spec.shape) === String(shape)) continue;
    throw new ClozeError("PARAMETER_SHAPE", {
      problem: `the parameter "${name}" does not fit the graph`,
      expected: `[${shape.join(", ")}]`,
      received: `[${spec.shape.join(", ")}]`,
    });
  }
}

/** The numbers of a parameter, which are as many as its shape says. Throws NAME_UNKNOWN and PARAMETER_SHAPE. */
export function numbersOf(parameters: NamedParameters, name: string): Float32Array {
  const { spec, data } = parameters.get(name);
  if (data.length === sizeOf(spec.shape)) return data;
  throw new ClozeError("PARAMETER_SHAPE", {
    problem: `the parameter "${name}" has not the size of its shape`,
    expected: `${sizeOf(spec.shape)} numbers for [${spec.shape.join(", ")}]`,
    received: String(data.length),
  });
}

/**
 * First values: zeros, ones, or a normal of deviation `range` cut off at two deviations, as BERT's. Each parameter's
 * values depend on the seed and its own name only, so a new head does not change the encoder below it. `names` are those
 * to fill, all by default.
 */
export function initialise(parameters: Parameters, range: number, seed: number, names?: readonly string[]): void {
  const views = names?.map((name) => parameters.get(name)) ?? parameters.views;
  for (const { spec, data } of views) {
    if (spec.initial !== "normal") {
      data.fill(spec.initial === "ones" ? 1 : 0);
      continue;
    }
    const random = Random.of(seed, "initial", spec.name);
    for (let i = 0; i < data.length; i++) {
      let z = random.normal();
      while (Math.abs(z) > 2) z = random.normal();
      data[i] = z * range;
    }
  }
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
