import { expect, test, vi } from "vitest";
import { runLeaseTrial } from "./lease-trials.ts";
import { type LeaseTrouble, LeaseWorld } from "./lease-world.ts";

// The machine may be busy with other things.
vi.setConfig({ testTimeout: 300_000 });

/** Schedules that are tried; a few milliseconds each. */
const TRIALS = Number(process.env.TTCS_LEASE_TRIALS ?? 1000);

const runWith = (trouble: Partial<LeaseTrouble>, seed: number, seconds = 90) => {
  const world = new LeaseWorld(seed, 2, 4);
  const usual = { kind: "stop", atS: 10.3, forS: 30, server: 0, latencyS: 0 } as const;
  world.trouble([{ ...usual, ...trouble }]);
  return world.run(seconds);
};

test("while two servers believe that they lead, nobody obeys the older term, and it writes nothing", () => {
  const sum = { oldObeyed: 0, ownOldObeyed: 0, rowsOfOldTerm: 0 };
  let [takeovers, heldBack, rowsRefused] = [0, 0, 0];
  for (let seed = 1; seed <= TRIALS; seed++) {
    const figures = runLeaseTrial(seed);
    sum.oldObeyed += figures.oldObeyed;
    sum.ownOldObeyed += figures.ownOldObeyed;
    sum.rowsOfOldTerm += figures.rowsOfOldTerm;
    takeovers += figures.terms - 1;
    heldBack += figures.heldBack;
    rowsRefused += figures.rowsRefused;
  }
  const said = `${takeovers} takeovers, ${heldBack} messages held back, ${rowsRefused} rows refused`;
  console.log(`${TRIALS} schedules, seeds 1 to ${TRIALS}: ${said}, ${JSON.stringify(sum)}`);
  expect(sum).toEqual({ oldObeyed: 0, ownOldObeyed: 0, rowsOfOldTerm: 0 });
  // Otherwise nothing was tried.
  expect(takeovers).toBeGreaterThan(TRIALS / 4);
  expect(heldBack).toBeGreaterThan(TRIALS / 10);
  expect(rowsRefused).toBeGreaterThan(TRIALS / 20);
});

test("a server that says something without asking its lease is caught at it", () => {
  let oldObeyed = 0;
  for (let seed = 1; seed <= 20; seed++)
    oldObeyed += runLeaseTrial(seed, { asksLease: false }).oldObeyed;
  expect(oldObeyed).toBeGreaterThan(0);
});

test.each(["stop", "kill"] as const)("%s: another server is obeyed within 5 s", (kind) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { longestGapS, terms } = runWith({ kind }, seed);
    console.log(`${kind}, seed ${seed}: nothing obeyed for ${longestGapS.toFixed(2)} s`);
    expect(terms).toBe(2);
    expect(longestGapS).toBeLessThan(5);
  }
});

test.each([
  ["gone for a minute", { kind: "database down", forS: 60 }],
  ["2 s slow for a minute", { kind: "database slow", forS: 60, latencyS: 2 }],
] as const)("a database that is %s costs no round and changes no leader", (_, trouble) => {
  for (const seed of [1, 2, 3]) {
    const { longestGapS, terms, heldBack } = runWith(trouble, seed);
    expect([terms, heldBack]).toEqual([1, 0]);
    // A round is 0.5 s; messages take up to 20 ms, the beat 44 ms.
    expect(longestGapS).toBeLessThan(0.6);
  }
});

test("a leader whose lease ran out while it was stopped does not go on because the database is gone", () => {
  // It was stopped for 15 s, another one took the lease, and then the database went: its renewal
  // failed, which counted like a good one.
  expect(runLeaseTrial(17).oldObeyed).toBe(0);
  const world = new LeaseWorld(17, 2, 4, { patient: true });
  const usual = { server: 0, latencyS: 0 };
  world.trouble([
    { ...usual, kind: "stop", atS: 7.8, forS: 14.8 },
    { ...usual, kind: "database down", atS: 14, forS: 15 },
  ]);
  expect(world.run(40)).toMatchObject({ terms: 2, oldObeyed: 0 });
});

test("a leader that alone does not reach the database gives way to who does", () => {
  const { terms, ownOldObeyed, rowsOfOldTerm, longestGapS } = runWith({ kind: "no database" }, 1);
  expect(terms).toBeGreaterThan(1);
  expect([ownOldObeyed, rowsOfOldTerm]).toEqual([0, 0]);
  console.log(`longest time without a correction: ${longestGapS.toFixed(2)} s`);
});
