import { expect, test, vi } from "vitest";
import { foundBugs } from "./found.ts";
import { runSchedule } from "./trial.ts";

// The machine may be busy with other things.
vi.setConfig({ testTimeout: 120_000 });

test.each(foundBugs.map((bug) => [bug.name, bug] as const))("stays mended: %s", (_, bug) => {
  const { violations } = runSchedule(bug.schedule, { light: bug.light, ...bug.options });
  expect(violations).toEqual([]);
});
