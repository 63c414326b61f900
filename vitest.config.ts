import { defineConfig } from "vitest/config";
import { skipReasons } from "./test/skip-reasons.ts";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/*.slow.test.ts"],
    reporters: ["default", skipReasons],
    maxWorkers: "100%", // without it a machine of two cores has one worker
    testTimeout: 60_000,
  },
});
