import { ClozeError } from "../../base/errors.ts";
import type { InstructionSet } from "./addon.node.ts";
import type { CompileOptions } from "./compile.ts";

const NATIVE_PRECISIONS = ["fp32", "bf16", "int8"] as const;

/**
 * `bf16`: products in bfloat16 with float32 sums, where the processor has them, else float32. `int8`: the same, but linear
 * layers of frozen parameters in 8-bit integers.
 */
export type NativePrecision = (typeof NATIVE_PRECISIONS)[number];

/** What a processor has that multiplies the numbers of a precision. */
const NEEDED = { bf16: "AVX512-BF16", int8: "AVX512-VNNI" } as const;

/** Throws OPTION_INVALID for a word that names none of the precisions, as plain JavaScript may give it. */
export function requirePrecision(precision: string, known: readonly string[] = NATIVE_PRECISIONS): void {
  if (known.includes(precision)) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: "that is no precision",
    expected: known.join(", "),
    received: precision,
  });
}

/** Throws OPTION_INVALID where the processor does not multiply the numbers of a precision. */
export function requireNumbersOf(precision: NativePrecision, { name, bfloat16, int8 }: InstructionSet): void {
  if (precision === "fp32" || (precision === "bf16" ? bfloat16 : int8)) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `the precision ${precision} needs a processor that multiplies such numbers`,
    expected: NEEDED[precision],
    received: name,
    cure: "Choose another precision, with weights that are not packed for this one.",
  });
}

/**
 * How graphs are compiled for a precision. Throws OPTION_INVALID for what is none, and for `int8` where the processor does
 * not multiply such numbers.
 */
export function compileOptionsFor(precision: NativePrecision, set: InstructionSet): Omit<CompileOptions, "frozen"> {
  requirePrecision(precision);
  const { bfloat16, panelColumns } = set;
  const int8 = precision === "int8";
  if (int8) requireNumbersOf(precision, set);
  return { activationType: precision !== "fp32" && bfloat16 ? "bfloat16" : "float32", int8, panelColumns };
}
