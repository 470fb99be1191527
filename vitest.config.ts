import { defineConfig } from "vitest/config";

/** Tests that start the built command. */
const BUILT = ["test/cli/built/**/*.test.ts", "test/dashboard/**/*.test.ts"];

export default defineConfig({
  // Examples import the package by its name, as their readers will.
  resolve: { alias: { adastar: new URL("./src/index.ts", import.meta.url).pathname } },
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each worker may hold a model; two cores are the reference machine.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "source", include: ["test/**/*.test.ts"], exclude: BUILT } },
      { extends: true, test: { name: "built", include: BUILT, globalSetup: "test/cli/built/build.ts" } },
    ],
  },
});
