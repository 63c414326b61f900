import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import { describeExecutor } from "./executor-contract.ts";
import { describeBfloat16, describeInt8, describeNative, forEachSet, nativeOn } from "./native-kernels.ts";

describeExecutor("reference", () => referenceExecutor, { tolerance: 0 });
describeExecutor("onnx, cpu", () => onnxExecutor({ device: "cpu" }), { tolerance: 1e-5 });

describeNative("the native executor", (addon) => {
  describeExecutor("native", () => nativeExecutor(), { tolerance: 1e-5 });

  forEachSet(addon, (set) => {
    describeExecutor(`native, ${set.name}`, () => nativeOn(set), { tolerance: 1e-5 });
  });

  /**
   * A bfloat16 number has 8 bits, so a rounding errs by up to 2^-9 = 0.002; operands, activations and gradients are
   * rounded one after another. Measured over all cases: at most 0.014 of an output's largest number. The cases weight their
   * losses with numbers of both signs, so a loss is small beside its terms, and its error, measured at up to 0.044 of it,
   * is theirs.
   */
  describeBfloat16("executor native bf16", addon, (set) => {
    describeExecutor("native bf16", () => nativeOn(set, { precision: "bf16" }), {
      tolerance: 0.02,
      lossTolerance: 0.06,
    });
  });

  /**
   * Only linear layers of frozen weights are of 8-bit integers; test/int8.test.ts holds them to what they are exactly. Their
   * rounding, by up to 2^-8 of a row's largest number on either side, comes on top of bfloat16's: measured up to 0.022.
   */
  describeInt8("executor native int8", addon, (set) => {
    describeExecutor(`native int8, ${set.name}`, () => nativeOn(set, { precision: "int8" }), {
      tolerance: 0.03,
      lossTolerance: 0.06,
    });
  });
});
