import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { allowedExclusions, EdgeCourt } from "./edge-court.ts";
import { solveNetwork } from "./network.ts";
import type { NetworkInput } from "./network-columns.ts";

const SEED = 20261122;
const SIGMA_NS = 20;

/** A full mesh of six hosts, all at 0, with noise; `biasNs` is added to edge 0. */
function fullMesh(random: Prng, biasNs: number): NetworkInput {
  const edges: [number, number][] = [];
  for (let a = 0; a < 6; a++) for (let b = a + 1; b < 6; b++) edges.push([a, b]);
  return {
    hostCount: 6,
    edgeCount: edges.length,
    from: Int32Array.from(edges, (e) => e[0]),
    to: Int32Array.from(edges, (e) => e[1]),
    offsetNs: Float64Array.from(edges, (_, e) => {
      return SIGMA_NS * random.normal() + (e === 0 ? biasNs : 0);
    }),
    sigmaNs: new Float64Array(edges.length).fill(SIGMA_NS),
    reference: 5,
  };
}

/** Runs a mesh and its court for some rounds, as a coordinator does; returns who was expelled. */
function sit(rounds: number, biasAt: (round: number) => number) {
  const random = new Prng(SEED);
  const court = new EdgeCourt();
  const history: Uint8Array[] = [];
  let excluded = new Uint8Array(15);
  for (let round = 0; round < rounds; round++) {
    const input = { ...fullMesh(random, biasAt(round)), excluded };
    const found = solveNetwork(input);
    const wished = new Uint8Array(15);
    const severity = new Float64Array(15);
    for (let e = 0; e < 15; e++) {
      const { trust, residualNs, scale } = found;
      const standing = court.judge(`${e}`, trust[e], residualNs[e], SIGMA_NS * scale);
      wished[e] = standing.expelled ? 1 : 0;
      severity[e] = standing.severity;
    }
    excluded = new Uint8Array(allowedExclusions(input, wished, severity));
    history.push(excluded);
  }
  return { court, history };
}

const spell = (history: readonly Uint8Array[]): number[] =>
  history.flatMap((excluded, round) => (excluded[0] === 1 ? [round] : []));

describe("EdgeCourt", () => {
  it("expels a biased edge within ten rounds, names its bias and spares the others", () => {
    const { court, history } = sit(60, () => 800);
    const out = spell(history);
    expect(out[0]).toBeGreaterThanOrEqual(7);
    expect(out[0]).toBeLessThan(10);
    expect(out.length).toBe(60 - out[0]);
    for (const excluded of history) expect(excluded.subarray(1).includes(1)).toBe(false);
    const standing = court.standing("0")!;
    expect(standing.reason).toMatch(/^does not fit the mesh: \+[78]\d\d ns over 10 rounds$/);
    expect(Math.abs(standing.biasNs - 800)).toBeLessThan(20);
    expect(standing.severity).toBeGreaterThan(30);
  });

  it("readmits an edge after twenty rounds of fitting, and not before", () => {
    const { court, history } = sit(100, (round) => (round < 40 ? 800 : 0));
    const out = spell(history);
    expect(out.at(-1)).toBeGreaterThanOrEqual(58);
    expect(out.at(-1)).toBeLessThan(66);
    expect(court.standing("0")).toMatchObject({ expelled: false, reason: "" });
  });

  it("keeps an edge out that is sound for ten rounds and off for five, again and again", () => {
    const { history } = sit(400, (round) => (round < 20 || round % 15 < 5 ? 800 : 0));
    const out = spell(history);
    expect(out.length).toBe(400 - out[0]);
  });

  it("leaves an edge alone that is off for a second now and then", () => {
    const { history } = sit(400, (round) => (round % 20 < 2 ? 800 : 0));
    expect(spell(history)).toEqual([]);
  });

  it("counts no round without a residual or a sigma, and forgets", () => {
    const court = new EdgeCourt();
    for (let i = 0; i < 7; i++) court.judge("a", 1e-6, 500, 10);
    for (let i = 0; i < 9; i++) court.judge("a", 0, Number.NaN, 10);
    expect(court.judge("a", 0, 500, 0).expelled).toBe(false);
    expect(court.judge("a", 1e-6, 500, 10).expelled).toBe(true);
    court.judge("b", 1, 0, 10);
    court.retain(new Set(["b"]));
    expect(court.standing("a")).toBeUndefined();
    court.forget("b");
    expect(court.standing("b")).toBeUndefined();
  });
});

describe("EdgeCourt's places", () => {
  it("stay while no edge is forgotten, and begin empty when another edge takes one", () => {
    const court = new EdgeCourt();
    const keys = Array.from({ length: 100 }, (_, i) => `edge ${i}`);
    const places = keys.map((key) => court.placeOf(key));
    expect(new Set(places).size).toBe(100);
    for (let round = 0; round < 10; round++) {
      for (const place of places) court.judgeAt(place, 1e-6, 500, 10);
    }
    expect(court.expelledCount).toBe(100);
    expect(keys.map((key) => court.placeOf(key))).toEqual(places);
    const { version } = court;
    court.forget("edge 7");
    expect(court.version).not.toBe(version);
    expect(court.expelledCount).toBe(99);
    expect(court.placeOf("another")).toBe(places[7]);
    expect(court.standing("another")).toEqual({
      expelled: false,
      reason: "",
      biasNs: 0,
      severity: 0,
    });
    expect(court.placeOf("one more")).toBe(100);
    expect(court.isExpelled(places[8])).toBe(true);
  });
});

describe("allowedExclusions", () => {
  const grant = (
    edges: readonly (readonly [number, number])[],
    wished: readonly number[],
    severity: readonly number[] = wished,
  ): number[] => {
    const graph = {
      hostCount: 6,
      edgeCount: edges.length,
      from: Int32Array.from(edges, (e) => e[0]),
      to: Int32Array.from(edges, (e) => e[1]),
    };
    return [...allowedExclusions(graph, Uint8Array.from(wished), Float64Array.from(severity))];
  };
  const twoTriangles = [
    [0, 1],
    [1, 2],
    [2, 0],
    [3, 4],
    [4, 5],
    [5, 3],
  ] as const;

  it("does not expel the bridge between two halves", () => {
    expect(grant([...twoTriangles, [2, 3]], [0, 0, 0, 0, 0, 0, 1])).toEqual(Array(7).fill(0));
  });

  it("of two bad bridges expels the worse", () => {
    const edges = [...twoTriangles, [2, 3], [0, 5]] as const;
    const severity = [0, 0, 0, 0, 0, 0, 9, 4];
    expect(grant(edges, [0, 0, 0, 0, 0, 0, 1, 1], severity)).toEqual([0, 0, 0, 0, 0, 0, 1, 0]);
  });

  it("leaves every host two edges", () => {
    const edges = [...twoTriangles, [2, 3], [0, 3], [1, 3]] as const;
    // Host 1 has three edges, all of them bad: the two better ones stay.
    const granted = grant(edges, [1, 1, 0, 0, 0, 0, 0, 0, 1], [5, 9, 0, 0, 0, 0, 0, 0, 7]);
    expect(granted).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("never tears a random mesh and never leaves a host one of several edges", () => {
    const random = new Prng(SEED);
    for (let trial = 0; trial < 300; trial++) {
      const hostCount = 12;
      const edgeCount = 12 + Math.floor(random.uniform() * 20);
      const host = () => Math.floor(random.uniform() * hostCount);
      const from = Int32Array.from({ length: edgeCount }, host);
      const to = Int32Array.from(from, (f) => (f + 1 + Math.floor(random.uniform() * 11)) % 12);
      const wished = Uint8Array.from({ length: edgeCount }, () => Number(random.uniform() < 0.6));
      const severity = Float64Array.from({ length: edgeCount }, () => random.uniform());
      const graph = { hostCount, edgeCount, from, to };
      const excluded = allowedExclusions(graph, wished, severity);
      const islandsOf = (left: (e: number) => boolean): number[] => {
        const island = Array.from({ length: hostCount }, (_, i) => i);
        for (let sweep = 0; sweep < hostCount; sweep++) {
          for (let e = 0; e < edgeCount; e++) {
            if (left(e)) island[from[e]] = island[to[e]] = Math.min(island[from[e]], island[to[e]]);
          }
        }
        return island;
      };
      expect(islandsOf((e) => excluded[e] === 0)).toEqual(islandsOf(() => true));
      for (let h = 0; h < hostCount; h++) {
        const mine = [...from.keys()].filter((e) => from[e] === h || to[e] === h);
        const kept = mine.filter((e) => excluded[e] === 0).length;
        expect(kept).toBeGreaterThanOrEqual(Math.min(2, mine.length));
      }
    }
  });
});
