import { afterEach, expect, test, vi } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { chooseSet } from "./machine.node.ts";

afterEach(() => vi.unstubAllEnvs());

/** As of a processor with AVX2 and no more. */
const addon = {
  instructionSets: [
    { name: "avx2", bfloat16: false, int8: false, panelColumns: 32 },
    { name: "portable", bfloat16: false, int8: false, panelColumns: 32 },
  ],
};

test("the best instruction set is chosen, or the one that CLOZE_ISA names", () => {
  vi.stubEnv("CLOZE_ISA", undefined);
  expect(chooseSet(addon)).toBe(0);
  vi.stubEnv("CLOZE_ISA", "portable");
  expect(chooseSet(addon)).toBe(1);
});

test.each(["avx512", "avx512bf16", "neon", ""])("%j is refused where the processor lacks it", async (name) => {
  vi.stubEnv("CLOZE_ISA", name);
  const choose = async () => chooseSet(addon);
  await expectError(choose(), "OPTION_INVALID", "CLOZE_ISA", "expected avx2, portable");
});
