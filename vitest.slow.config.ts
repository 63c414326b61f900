import { defineConfig } from "vitest/config";
import { skipReasons } from "./test/skip-reasons.ts";

export default defineConfig({
  test: {
    include: ["src/**/*.slow.test.ts", "test/**/*.slow.test.ts"],
    reporters: ["default", skipReasons],
    testTimeout: 600_000,
    fileParallelism: false,
  },
});
