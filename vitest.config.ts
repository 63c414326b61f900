import { defineConfig } from "vitest/config";
import { skipReasons } from "./test/skip-reasons.ts";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/*.slow.test.ts"],
    reporters: ["default", skipReasons],
    testTimeout: 60_000,
  },
});
