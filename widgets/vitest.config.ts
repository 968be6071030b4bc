import { defineConfig } from "vitest/config";
// @ts-expect-error -- a plain script, shared with the build
import { stretchPlugin } from "./stretch.mjs";

export default defineConfig({
  plugins: [stretchPlugin],
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
    // Two cores are shared with the kernel's own tests.
    maxWorkers: 2,
    // The stretcher has to pass through the plugin above.
    server: { deps: { inline: ["signalsmith-stretch"] } },
  },
});
