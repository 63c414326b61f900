import { describe, expect, it } from "vitest";
import { nativeKernels } from "../src/executors/native/optimizer.node.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { Lamb } from "../src/optim/lamb.ts";
import type { OptimizerOptions, Segment } from "../src/optim/optimizer.ts";
import { describeNative, forEachSet, onSet } from "./native-kernels.ts";
import { describeOptimizer } from "./optimizer-contract.ts";

describeNative("optimizers on the native kernels", (addon) => {
  forEachSet(addon, (set) =>
    describe(set.name, () => {
      class NativeAdamW extends AdamW {
        constructor(segments: readonly Segment[], options?: OptimizerOptions) {
          super(segments, { kernels: onSet(set, nativeKernels), ...options });
        }
      }
      class NativeLamb extends Lamb {
        constructor(segments: readonly Segment[], options?: OptimizerOptions) {
          super(segments, { kernels: onSet(set, nativeKernels), ...options });
        }
      }
      describeOptimizer("AdamW", NativeAdamW, () => 1);
      describeOptimizer("Lamb", NativeLamb, ({ decay }, parameters, update) => {
        const norms = [Math.hypot(...parameters), Math.hypot(...update)];
        return decay && !norms.includes(0) ? norms[0] / norms[1] : 1;
      });

      describe("with 1, 2 and 3 threads", () => {
        const length = 50_001;
        const segments = [{ offset: 0, length, decay: true }];
        const numbers = (factor: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * factor));

        it.each([NativeAdamW, NativeLamb])("%o gives the same bytes", async (Optimizer) => {
          const stepTwice = async (threads: number) => {
            const optimizer = new Optimizer(segments, { kernels: onSet(set, () => nativeKernels({ threads })) });
            const parameters = numbers(0.3);
            for (const step of [1, 2]) await optimizer.step(parameters, numbers(0.7 * step), { learningRate: 0.01 });
            return { parameters, norm: await optimizer.norm(parameters), state: optimizer.state };
          };
          const expected = await stepTwice(1);
          expect(await stepTwice(2)).toEqual(expected);
          expect(await stepTwice(3)).toEqual(expected);
        });
      });
    }),
  );
});
