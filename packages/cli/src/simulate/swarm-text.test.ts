import { runSwarmJob, type SwarmDone } from "@ttcs/simulator";
import { expect, test, vi } from "vitest";
import { failedLine, smallestText, sumSwarm, swarmCommand, swarmTable } from "./swarm-text.ts";

// The machine may be busy with other things.
vi.setConfig({ testTimeout: 120_000 });

const violation = { seed: 7, atS: 12.3, host: "h2", rule: "bound", text: "error 9 us" } as const;
const done: SwarmDone = {
  ...runSwarmJob({ seeds: [], light: true, kinds: ["cut"], shrink: false }),
  schedules: 2,
  simulatedS: 120,
  kinds: { cut: { schedules: 1, failed: 1, events: 3 } },
  rules: { bound: 1 },
  failed: [
    {
      seed: 7,
      violations: [violation],
      violationCount: 4,
      schedule: {
        seed: 7,
        hosts: 5,
        network: "quiet",
        standby: false,
        servers: 0,
        quietS: 10,
        endS: 40,
        events: [],
      },
    },
  ],
};

test("a failing seed is one line with the command that repeats it", () => {
  expect(failedLine(done.failed[0], { light: true })).toBe(
    "seed 7: bound: h2 at 12.30 s error 9 us (and 3 more); again: ttcs simulate --swarm 1 --seed 7 --light",
  );
  expect(swarmCommand(8, { light: false, kinds: ["cut", "cut one way"] })).toBe(
    'ttcs simulate --swarm 1 --seed 8 --kinds cut "cut one way"',
  );
});

test("the smallest schedule is told with what it breaks; without one nothing is", () => {
  const { schedule } = done.failed[0];
  const changes = [{ kind: "step", atS: 9, host: 2, stepNs: 1e3 }] as const;
  const events = [{ kind: "foreign step", changes, lies: [] }] as const;
  const smallest = { schedule: { ...schedule, events }, violations: [violation] };
  const text = smallestText({ ...done.failed[0], smallest });
  expect(text).toContain("1 of 0 events, 5 hosts, quiet links, 40 s:");
  expect(text).toContain('foreign step {"kind":"step","atS":9');
  expect(text).toContain("-> bound: h2 at 12.30 s error 9 us");
  expect(smallestText(done.failed[0])).toBe("");
});

test("parts are summed by kind and by rule, and the sum says whether a rule was broken", () => {
  const sum = sumSwarm([done, done]);
  expect(sum).toMatchObject({
    schedules: 4,
    kinds: { cut: { schedules: 2, failed: 2, events: 6 } },
  });
  const table = swarmTable(sum, 2);
  expect(table).toMatch(/^cut +6 +2 +2$/m);
  expect(table).toContain('rule "bound" broken in 2 schedule(s)');
  expect(table).toContain(
    "4 schedule(s), 240 s in 2.0 s: 0.50 s each, 120 x real time; 2 broke a rule",
  );
  expect(swarmTable({ ...sum, failed: [] }, 2)).toContain("no rule was broken");
});
