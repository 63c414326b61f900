import { expect, test } from "vitest";
import { hasAddon, loadAddon } from "./addon.node.ts";
import { LAYOUT } from "./layout.ts";

test("the kernels have the sizes that room is made for", ({ skip }) => {
  if (!hasAddon()) skip("the native kernels were not built");
  expect(loadAddon().layout).toEqual(LAYOUT);
});
