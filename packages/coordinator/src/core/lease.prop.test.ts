/**
 * Random pauses, delays, lost answers and outages over two and three servers. What must hold: a term
 * has one leader; no agent obeys an older term after a newer one, whoever speaks and however late it
 * arrives; while the database answers only one speaks at a time; and when the trouble is over there is
 * one leader within 5 s.
 */
import { Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { LeaseWorld, STEP_MS } from "./lease-world.ts";

const SCHEDULES = Number(process.env.TTCS_LEASE_SCHEDULES ?? 1_000);
/** Length of each schedule (ms). */
const TROUBLE_MS = 40_000;

/** An agent as far as terms go: it obeys the latest that it has seen, and shows it. */
class TermAgent {
  seen = 0n;
  refused = 0;
  readonly #coming: { readonly atMs: number; readonly term: bigint }[] = [];

  send(term: bigint, atMs: number): void {
    this.#coming.push({ atMs, term });
  }

  receive(nowMs: number): void {
    for (let i = this.#coming.length - 1; i >= 0; i--) {
      const { atMs, term } = this.#coming[i];
      if (atMs > nowMs) continue;
      this.#coming.splice(i, 1);
      if (term < this.seen) this.refused++;
      else this.seen = term;
    }
  }
}

interface Tally {
  takings: number;
  refused: number;
  together: number;
  leaderlessMs: number;
}

/** One schedule; `mayFail`: the database is gone at times, and answers get lost. */
function play(seed: number, mayFail: boolean): Tally {
  const rng = new Prng(seed);
  const slowMs = mayFail ? 1_500 : 400;
  const wait = () => (rng.uniform() < 0.1 ? slowMs : 20) * rng.uniform();
  let isTrouble = true;
  const world = new LeaseWorld(2 + (seed % 2), () =>
    isTrouble
      ? { thereMs: wait(), backMs: wait(), isLost: mayFail && rng.uniform() < 0.05 }
      : { thereMs: 5, backMs: 5, isLost: false },
  );
  const agents = Array.from({ length: 4 }, () => new TermAgent());
  const tally: Tally = { takings: 0, refused: 0, together: 0, leaderlessMs: 0 };
  world.run(TROUBLE_MS, () => {
    for (const server of world.servers) {
      // About one pause in ten seconds, up to 8 s long.
      if (rng.uniform() < STEP_MS / 10_000) {
        server.pausedUntilMs = world.nowMs + 8_000 * rng.uniform() ** 2;
      }
    }
    if (mayFail && rng.uniform() < STEP_MS / 15_000) {
      world.goneUntilMs = world.nowMs + 10_000 * rng.uniform();
    }
    if (world.speaking.length > 1) tally.together++;
    for (const server of world.speaking) {
      for (const agent of agents) {
        if (rng.uniform() < 0.2)
          agent.send(server.core.term!, world.nowMs + 3_000 * rng.uniform() ** 4);
      }
    }
    for (const agent of agents) agent.receive(world.nowMs);
    for (const server of world.speaking) {
      if (rng.uniform() < 0.05) world.heard(server, agents[rng.next() % agents.length].seen);
    }
  });
  for (const [term, holders] of world.leaders) expect([term, holders.size]).toEqual([term, 1]);
  isTrouble = false;
  world.goneUntilMs = 0;
  for (const server of world.servers) server.pausedUntilMs = 0;
  const victim = world.speaking[0];
  if (victim && rng.uniform() < 0.5 && world.servers.length > 2) victim.isDead = true;
  for (; tally.leaderlessMs <= 10_000; tally.leaderlessMs += STEP_MS) {
    world.run(STEP_MS);
    if (world.speaking.length === 1 && world.speaking[0].core.term === world.row?.term) break;
  }
  tally.takings = world.leaders.size;
  tally.refused = agents.reduce((sum, a) => sum + a.refused, 0);
  return tally;
}

function playAll(mayFail: boolean): Tally {
  const all = Array.from({ length: SCHEDULES }, (_, i) => play(i + 1, mayFail));
  const sum = (of: (t: Tally) => number) => all.reduce((s, t) => s + of(t), 0);
  const worstMs = Math.max(...all.map((t) => t.leaderlessMs));
  console.log(
    `seeds 1-${SCHEDULES}: ${sum((t) => t.takings)} takings, ${sum((t) => t.refused)} messages of an ` +
      `older term refused, ${sum((t) => t.together)} steps with two speakers, longest without a ` +
      `leader after the trouble ${worstMs} ms`,
  );
  return {
    takings: sum((t) => t.takings),
    refused: sum((t) => t.refused),
    together: sum((t) => t.together),
    leaderlessMs: worstMs,
  };
}

test("while the database answers, only one server speaks at a time", () => {
  const { together, leaderlessMs, takings } = playAll(false);
  expect(together).toBe(0);
  expect(leaderlessMs).toBeLessThan(5_000);
  // Otherwise nothing was tried.
  expect(takings).toBeGreaterThan(2 * SCHEDULES);
}, 120_000);

test("when the database fails at times, a term still has one leader, and there is one afterwards", () => {
  const { leaderlessMs, takings } = playAll(true);
  expect(leaderlessMs).toBeLessThan(5_000);
  expect(takings).toBeGreaterThan(SCHEDULES);
}, 120_000);
