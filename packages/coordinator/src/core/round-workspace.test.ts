import { create } from "@bufbuild/protobuf";
import { EdgeCourt } from "@ttcs/estimator";
import { type EdgeFit, EdgeFitSchema, HelloSchema } from "@ttcs/protocol";
import { Prng } from "@ttcs/units";
import { describe, expect, test } from "vitest";
import { type Host, newHost } from "./host.ts";
import { RoundWorkspace } from "./round-workspace.ts";
import { type RoundResult, solveRound } from "./solve.ts";

const ROUND_NS = 500_000_000;

/** Hosts with raw clocks of constant rates, and noisy fits of a fixed mesh. */
class World {
  readonly clocks: { zeroNs: bigint; freqPpb: number }[];
  readonly edges: (readonly [number, number])[] = [];
  readonly #random: Prng;
  readonly #bias: number[];

  constructor(seed: number, hostCount: number, chords: number) {
    const random = new Prng(seed);
    this.#random = random;
    this.clocks = Array.from({ length: hostCount }, () => ({
      zeroNs: BigInt(Math.floor(random.between(1e12, 9e15))),
      freqPpb: random.between(-20_000, 20_000),
    }));
    for (let i = 0; i < hostCount; i++) {
      this.edges.push([i, (i + 1) % hostCount]);
      for (let k = 0; k < chords; k++) {
        const other = (i + 2 + Math.floor(random.uniform() * (hostCount - 3))) % hostCount;
        this.edges.push([i, other]);
      }
    }
    this.#bias = this.edges.map(() => (random.uniform() < 0.05 ? 800 : 0));
  }

  raw(host: number, trueNs: number): bigint {
    const { zeroNs, freqPpb } = this.clocks[host];
    return zeroNs + BigInt(Math.round(trueNs + trueNs * freqPpb * 1e-9));
  }

  /** Fits of one round; those of which `isLost` says so are missing. */
  fits(round: number, isLost: (edge: number) => boolean = () => false): EdgeFit[] {
    const out: EdgeFit[] = [];
    this.edges.forEach(([a, b], e) => {
      const midTrueNs = round * ROUND_NS + 1e9;
      const errorNs = 20 * this.#random.normal() + this.#bias[e];
      const freqErrorPpb = 20 * this.#random.normal();
      if (isLost(e)) return;
      const [baseA, baseB] = [this.raw(a, round * ROUND_NS), this.raw(b, round * ROUND_NS)];
      const midNs = Number(this.raw(a, midTrueNs) - baseA);
      const rate = (1 + this.clocks[b].freqPpb * 1e-9) / (1 + this.clocks[a].freqPpb * 1e-9) - 1;
      out.push(
        create(EdgeFitSchema, {
          owner: a + 1,
          other: b + 1,
          ownerBaseRawNs: baseA,
          otherBaseRawNs: baseB,
          midNs,
          offsetNs: Number(this.raw(b, midTrueNs) - baseB) - midNs + errorNs,
          freqPpb: rate * 1e9 + freqErrorPpb,
          offsetSigmaNs: 20,
          freqSigmaPpb: 20,
          belowBoundNs: 5000,
          aboveBoundNs: 5000,
        }),
      );
    });
    return out;
  }
}

const newHosts = (count: number): Map<number, Host> =>
  new Map(
    Array.from({ length: count }, (_, i) => {
      const hello = create(HelloSchema, { hostId: `h${i + 1}` });
      return [i + 1, newHost(i + 1, hello, i + 1)];
    }),
  );

/** Everything that a round says, as plain data. */
const said = (result: RoundResult | undefined, hosts: ReadonlyMap<number, Host>) => ({
  at: result?.atRefRawNs,
  trusted: [...(result?.trusted ?? [])].sort((a, b) => a - b),
  fixes: [...hosts.values()].map(({ track }) => track?.fix),
  predicted: [...hosts.values()].map(({ track }) => track?.filter.predict(10)),
});

/** The largest difference of two values of the same shape, as a share of the larger. */
function apart(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") {
    return Object.is(a, b) ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
  }
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
    return a === b ? 0 : Number.POSITIVE_INFINITY;
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const of = (x: object, key: string) => (x as Record<string, unknown>)[key];
  return Math.max(0, ...[...keys].map((key) => apart(of(a, key), of(b, key))));
}

describe("a workspace", () => {
  test("changes nothing of what rounds find, while edges and hosts come and go", () => {
    const world = new World(3, 40, 3);
    const random = new Prng(9);
    const [kept, anew] = [newHosts(40), newHosts(40)];
    const [keptCourt, anewCourt] = [new EdgeCourt(), new EdgeCourt()];
    const workspace = new RoundWorkspace();
    let worst = 0;
    for (let round = 0; round < 30; round++) {
      const isQuiet = round % 5 < 3;
      // Host 17 is away for ten rounds; now and then some fits are lost.
      const gone = round >= 10 && round < 20 ? 17 : -1;
      const fits = world.fits(round, (e) => {
        const lost = random.uniform() < 0.1 && !isQuiet;
        return lost || world.edges[e].includes(gone);
      });
      const a = solveRound(kept.get(1)!, kept, fits, { court: keptCourt, workspace });
      const b = solveRound(anew.get(1)!, anew, fits, { court: anewCourt });
      worst = Math.max(worst, apart(said(a, kept), said(b, anew)));
      expect(a!.trusted.has(18)).toBe(gone < 0);
      for (const [number, views] of b!.edges) {
        worst = Math.max(worst, apart(views, a!.edges.get(number)));
      }
    }
    console.log(`workspace: results apart by ${worst.toExponential(1)} of themselves at the most`);
    expect(worst).toBeLessThan(1e-3);
  });

  test("follows a reference that changes", () => {
    const world = new World(5, 12, 2);
    const hosts = newHosts(12);
    const workspace = new RoundWorkspace();
    for (let round = 0; round < 4; round++) {
      solveRound(hosts.get(1)!, hosts, world.fits(round), { workspace });
    }
    const fresh = newHosts(12);
    const fits = world.fits(4);
    for (const host of hosts.values()) host.track = undefined;
    const a = solveRound(hosts.get(4)!, hosts, fits, { workspace });
    const b = solveRound(fresh.get(4)!, fresh, fits);
    expect(apart(said(a, hosts), said(b, fresh))).toBeLessThan(1e-3);
  });

  test("does not care for a host whose raw clock begins anew", () => {
    const world = new World(6, 12, 2);
    const [hosts, fresh] = [newHosts(12), newHosts(12)];
    const workspace = new RoundWorkspace();
    for (let round = 0; round < 4; round++) {
      solveRound(hosts.get(1)!, hosts, world.fits(round), { workspace });
    }
    world.clocks[5] = { zeroNs: 12n, freqPpb: 3 };
    for (const host of hosts.values()) host.track = undefined;
    const fits = world.fits(4);
    const a = solveRound(hosts.get(1)!, hosts, fits, { workspace });
    const b = solveRound(fresh.get(1)!, fresh, fits);
    expect(apart(said(a, hosts), said(b, fresh))).toBeLessThan(1e-3);
  });

  test("sketches between rounds, so that no round does after the first", () => {
    const world = new World(7, 100, 3);
    const hosts = newHosts(100);
    const workspace = new RoundWorkspace();
    let refreshed = 0;
    const solve = (round: number) => {
      const fits = world.fits(round, () => false);
      const result = solveRound(hosts.get(1)!, hosts, fits, { workspace });
      if (round === 0) return result;
      const { resistances } = workspace.offsets;
      const refresh = resistances.refresh.bind(resistances);
      resistances.refresh = () => {
        refreshed++;
        refresh();
      };
      return result;
    };
    for (let round = 0; round < 150; round++) {
      solve(round);
      for (let tick = 0; tick < 20; tick++) workspace.idle();
    }
    expect(refreshed).toBe(0);
    // Left alone, a sketch is renewed within a round after half a minute.
    for (let round = 150; round < 230; round++) solve(round);
    expect(refreshed).toBeGreaterThan(0);
  });

  test("gives a host that has just come a sigma, which the next sketch makes smaller", () => {
    const world = new World(8, 100, 3);
    const hosts = newHosts(100);
    const workspace = new RoundWorkspace();
    const without = (e: number) => world.edges[e].includes(50);
    for (let round = 0; round < 3; round++) {
      solveRound(hosts.get(1)!, hosts, world.fits(round, without), { workspace });
      for (let tick = 0; tick < 100; tick++) workspace.idle();
    }
    const solve = (round: number): number => {
      const result = solveRound(hosts.get(1)!, hosts, world.fits(round), { workspace });
      expect(result!.trusted.has(51)).toBe(true);
      const { sigmaNs } = workspace.offsets.told();
      return sigmaNs[workspace.mesh.rowOf.get(51)!];
    };
    const first = solve(3);
    for (let tick = 0; tick < 100; tick++) workspace.idle();
    const second = solve(4);
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThan(first);
  });
});
