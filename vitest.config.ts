import { defineConfig } from "vitest/config";

const COMMAND_LINE = "test/cli/**/*.test.ts";

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each worker may hold a model; two cores are the reference machine.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: "library", include: ["test/**/*.test.ts"], exclude: [COMMAND_LINE] },
      },
      {
        extends: true,
        // These tests start the built command, so it is built first.
        test: { name: "cli", include: [COMMAND_LINE], globalSetup: "test/cli/build.ts" },
      },
    ],
  },
});
