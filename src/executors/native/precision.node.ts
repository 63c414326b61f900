import { ClozeError } from "../../base/errors.ts";
import type { InstructionSet } from "./addon.node.ts";
import type { CompileOptions } from "./compile.ts";

/**
 * `bf16`: products in bfloat16 with float32 sums, where the processor has them, else float32. `int8`: the same, but linear
 * layers of frozen parameters in 8-bit integers.
 */
export type NativePrecision = "fp32" | "bf16" | "int8";

/** How graphs are compiled for a precision. Throws OPTION_INVALID for `int8` where the processor does not multiply such. */
export function compileOptionsFor(precision: NativePrecision, set: InstructionSet): Omit<CompileOptions, "frozen"> {
  const { name, bfloat16, int8, panelColumns } = set;
  if (precision === "int8" && !int8) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the precision int8 needs a processor that multiplies 8-bit integers",
      expected: "AVX512-VNNI",
      received: name,
      cure: "Choose another precision, with weights that are not packed for int8.",
    });
  }
  return {
    activationType: precision !== "fp32" && bfloat16 ? "bfloat16" : "float32",
    int8: precision === "int8",
    panelColumns,
  };
}
