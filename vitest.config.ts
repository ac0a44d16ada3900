import { defineConfig } from "vitest/config";

// Unit and property tests sit beside the code; slow suites (real processes) are *.e2e.test.ts and
// run one after the other, because they share the machine's two cores.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "tools/**/*.test.ts"],
          exclude: ["**/*.e2e.test.ts", "**/node_modules/**"],
          // Worlds of a minute take seconds; a loaded machine must not make them fail.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["packages/*/src/**/*.e2e.test.ts", "tools/**/*.e2e.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
