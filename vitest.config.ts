import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Plugins are loaded by Node itself, as the daemon loads them.
    server: { deps: { external: [/towpath-plugins-/, /examples\/plugin\//] } },
    reporters: ["default", "./test/support/summary-reporter.ts"],
  },
});
