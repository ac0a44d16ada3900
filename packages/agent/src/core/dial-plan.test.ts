import { expect, test } from "vitest";
import { DialPlan } from "./dial-plan.ts";

const A = "a:6176";
const B = "b:6176";
const C = "c:6176";

/** Addresses of the next calls, each in vain. */
const inVain = (plan: DialPlan, count: number): string[] =>
  Array.from({ length: count }, () => {
    const { address } = plan.next(0.5);
    plan.failed();
    return address;
  });

test("those of the configuration are tried in turn, and again", () => {
  expect(inVain(new DialPlan([A, B, C]), 4)).toEqual([A, B, C, A]);
});

test("a round of all addresses takes about a second, then waits and patience grow", () => {
  for (const count of [2, 3, 4]) {
    const plan = new DialPlan([A, B, C, "d:6176"].slice(0, count));
    const roundMs = () => {
      let sumMs = 0;
      for (let i = 0; i < count; i++) {
        const { waitMs, patienceMs } = plan.next(1);
        plan.failed();
        sumMs += waitMs + patienceMs;
      }
      return sumMs;
    };
    const first = roundMs();
    expect(first).toBeLessThanOrEqual(1_000 + count * 100);
    expect(roundMs()).toBeGreaterThan(1.5 * first);
  }
});

test("waits are drawn over the whole of a growing span, up to two seconds", () => {
  const plan = new DialPlan([A]);
  for (let i = 0; i < 20; i++) plan.failed();
  expect(plan.next(0).waitMs).toBe(0);
  expect(plan.next(1).waitMs).toBe(2_000);
  const fresh = new DialPlan([A]);
  expect(fresh.next(1).waitMs).toBe(100);
});

test("the last that took us in comes first, others are learnt from it", () => {
  const plan = new DialPlan([A, B]);
  inVain(plan, 1);
  expect(plan.next(0).address).toBe(B);
  plan.welcomed([B, C]);
  expect(plan.addresses).toEqual([B, A, C]);
  plan.failed();
  expect(new Set(inVain(plan, 3))).toEqual(new Set([A, B, C]));
});

test("a redirect is followed at once", () => {
  const plan = new DialPlan([A]);
  plan.next(0.5);
  plan.redirected(C, [C, A]);
  expect(plan.next(1)).toMatchObject({ address: C, waitMs: 0 });
});

test("redirects in a circle end in waiting", () => {
  const plan = new DialPlan([A, B]);
  let waits = 0;
  for (let i = 0; i < 20; i++) {
    const { address, waitMs } = plan.next(1);
    if (waitMs > 0) waits++;
    plan.redirected(address === A ? B : A, []);
  }
  expect(waits).toBeGreaterThan(15);
});

test("where nobody knows who leads, agents ask again within half a second", () => {
  const plan = new DialPlan([A, B]);
  for (let i = 0; i < 20; i++) {
    expect(plan.next(1).waitMs).toBeLessThanOrEqual(500);
    plan.redirected("", [A, B]);
  }
});

test("one that answers keeps the waits for one that does not short", () => {
  const plan = new DialPlan([A, B]);
  for (let i = 0; i < 20; i++) {
    const { address, waitMs, patienceMs } = plan.next(1);
    expect(waitMs + patienceMs).toBeLessThanOrEqual(1_000);
    if (address === A) plan.failed();
    else plan.redirected("", []);
  }
});

test("what is no address is not learnt, and not followed", () => {
  const plan = new DialPlan([A]);
  plan.next(0);
  plan.redirected("http://evil/", ["", "x", "x:0", "x:99999", "a b:1", "[::1]:6176"]);
  expect(plan.addresses).toEqual([A, "[::1]:6176"]);
  expect(plan.next(1).waitMs).toBeGreaterThan(0);
  plan.welcomed(Array.from({ length: 99 }, (_, i) => `h${i}:6176`));
  expect(plan.addresses.length).toBeLessThan(20);
});
