import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
    // Two cores are shared with the kernel's own tests.
    maxWorkers: 2,
  },
});
