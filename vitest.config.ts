import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["src/**/*.test.ts", "test/**/*.test.ts"], exclude: ["**/*.slow.test.ts"], testTimeout: 60_000 },
});
