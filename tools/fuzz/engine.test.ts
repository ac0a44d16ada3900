import { expect, test, vi } from "vitest";
import { type Cases, Run, type Tally } from "./engine.ts";
import { ByteMutator } from "./mutate.ts";
import { Broken, type FuzzTarget } from "./target.ts";
import { targets } from "./targets/index.ts";

const mutator = new ByteMutator();
const fake = (run: FuzzTarget["run"]): FuzzTarget => ({
  cases: 1_000,
  limitMs: 10,
  seeds: [Uint8Array.from({ length: 40 }, (_, i) => i)],
  mutate: (random, pool) => mutator.mutate(random, pool),
  run,
});
const ran = (target: FuzzTarget, cases: Partial<Cases> = {}): Tally =>
  new Run(target, { target: "fake", seed: 1, from: 0, to: 1_000, ...cases }).run();

test("what an input breaks is found, told once, and made small", () => {
  const target = fake((input) => {
    if (input.includes(0xff)) throw new TypeError("a reader that cannot stand 255");
    return input.length > 10;
  });
  const { findings, accepted, refused, cases } = ran(target);
  expect(findings.map(({ kind }) => kind)).toEqual(["crash"]);
  expect(findings[0].input).toEqual(Uint8Array.of(0xff));
  expect(findings[0].detail).toContain("cannot stand 255");
  expect(cases).toBe(1_000);
  expect(accepted).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(10);
});

test("different faults are told apart, and a run ends when there are many", () => {
  const target = fake((input) => {
    throw new Broken("x".repeat(input.length));
  });
  expect(ran(target).findings.length).toBe(10);
});

test("an input that is slow each time is a hang, one that was slow once is none", () => {
  let nowMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  // It is the processor's time that is measured again: on a busy machine others make everything slow.
  const processor = vi
    .spyOn(process, "threadCpuUsage")
    .mockImplementation((before) => ({ user: 1e3 * nowMs - (before?.user ?? 0), system: 0 }));
  let slowOnce = 0;
  const target = fake((input) => {
    if (input[0] === 0xff) nowMs += 11;
    else if (slowOnce++ === 5) nowMs += 500;
    return true;
  });
  const { findings, slowestMs } = ran(target);
  clock.mockRestore();
  processor.mockRestore();
  expect(findings.map(({ kind, input }) => [kind, input[0]])).toContainEqual(["hang", 0xff]);
  expect(findings.every(({ kind, input }) => kind === "hang" && input[0] === 0xff)).toBe(true);
  expect(slowestMs).toBe(11);
});

test("memory that is not given back is a finding", () => {
  const kept: Uint8Array[] = [];
  const target = fake(() => kept.push(new Uint8Array(200_000)) > 0);
  expect(ran(target).findings.map(({ kind }) => kind)).toEqual(["memory"]);
  expect(ran(fake(() => true)).growthBytes).toBeLessThan(5e6);
});

test("where inputs build upon each other, all that led to a fault is kept, and no more", () => {
  let sum = 0;
  const target: FuzzTarget = {
    ...fake(() => true),
    mutate: (random) => Uint8Array.of(random.next() % 8),
    run(inputs) {
      for (const byte of inputs) {
        if (byte === 1) sum++;
        if (sum === 3) throw new Broken("the third one");
      }
      return true;
    },
    life: {
      inputs: 200,
      begin: () => {
        sum = 0;
      },
      longestMs: () => 0,
    },
  };
  expect(ran(target).findings.map(({ input }) => [...input])).toEqual([[1, 1, 1]]);
});

test("the guided form keeps what reaches code that nothing before has reached", () => {
  const { blocks, kept } = ran(targets.config(), { target: "config", guided: true, to: 600 });
  expect(blocks).toBeGreaterThan(50);
  expect(kept).toBeGreaterThan(0);
});

test.each(Object.keys(targets).filter((name) => name !== "cores"))(
  "a seed gives the same cases of %s, some accepted and some refused",
  (name) => {
    const counts = () => {
      const { accepted, refused, findings } = ran(targets[name](), { target: name, to: 300 });
      expect(findings).toEqual([]);
      return [accepted, refused];
    };
    const [accepted, refused] = counts();
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    expect(counts()).toEqual([accepted, refused]);
  },
);
