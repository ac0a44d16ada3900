import { Prng } from "@ttcs/units";
import { describe, expect, it } from "vitest";
import { solveNetwork } from "./network.ts";
import type { NetworkInput } from "./network-columns.ts";

const SEED = 20260711;

function network(
  hostCount: number,
  edges: readonly (readonly [from: number, to: number, offsetNs: number])[],
  sigmaNs: number | readonly number[] = 20,
): NetworkInput {
  return {
    hostCount,
    edgeCount: edges.length,
    from: Int32Array.from(edges, (e) => e[0]),
    to: Int32Array.from(edges, (e) => e[1]),
    offsetNs: Float64Array.from(edges, (e) => e[2]),
    sigmaNs: Float64Array.from(edges, (_, i) =>
      typeof sigmaNs === "number" ? sigmaNs : sigmaNs[i],
    ),
    reference: 0,
  };
}

/** A ring with random chords, `perHost` edges per host; a share is biased by 300 to 1500 ns. */
function randomMesh(seed: number, hostCount: number, perHost: number, biasedShare: number) {
  const random = new Prng(seed);
  const truth = Float64Array.from({ length: hostCount }, () => random.between(-1e6, 1e6));
  truth[0] = 0;
  const edges: [number, number, number][] = [];
  const add = (from: number, to: number) => {
    const sign = random.uniform() < 0.5 ? -1 : 1;
    const bias = random.uniform() < biasedShare ? sign * random.between(300, 1500) : 0;
    edges.push([from, to, truth[to] - truth[from] + 20 * random.normal() + bias]);
  };
  for (let i = 0; i < hostCount; i++) {
    add(i, (i + 1) % hostCount);
    for (let k = 1; k < perHost; k++) {
      const other = Math.floor(random.uniform() * hostCount);
      if (other !== i) add(i, other);
    }
  }
  return { truth, input: network(hostCount, edges) };
}

/** Weighted least squares and the diagonal of the inverse by Gauss-Jordan elimination. */
function dense(input: NetworkInput): { x: number[]; sigma: number[] } {
  const n = input.hostCount - 1;
  const rows = Array.from({ length: n }, (_, i) => {
    return Array.from({ length: 2 * n + 1 }, (_, j) => (j === n + 1 + i ? 1 : 0));
  });
  for (let e = 0; e < input.edgeCount; e++) {
    const weight = 1 / input.sigmaNs[e] ** 2;
    const i = input.from[e] - 1;
    const j = input.to[e] - 1;
    if (i >= 0) rows[i][i] += weight;
    if (j >= 0) rows[j][j] += weight;
    if (i >= 0 && j >= 0) {
      rows[i][j] -= weight;
      rows[j][i] -= weight;
    }
    if (i >= 0) rows[i][n] -= weight * input.offsetNs[e];
    if (j >= 0) rows[j][n] += weight * input.offsetNs[e];
  }
  for (let k = 0; k < n; k++) {
    const pivot = rows[k][k];
    for (let c = 0; c <= 2 * n; c++) rows[k][c] /= pivot;
    for (let r = 0; r < n; r++) {
      const factor = rows[r][k];
      if (r === k || factor === 0) continue;
      for (let c = 0; c <= 2 * n; c++) rows[r][c] -= factor * rows[k][c];
    }
  }
  return {
    x: [0, ...rows.map((row) => row[n])],
    sigma: [0, ...rows.map((row, i) => Math.sqrt(row[n + 1 + i]))],
  };
}

const differences = (input: NetworkInput, x: ArrayLike<number>): number[] =>
  Array.from(input.from, (from, e) => x[input.to[e]] - x[from]);

describe("solveNetwork", () => {
  it("spreads the surplus of the paper's first loop", () => {
    const input = network(3, [
      [0, 1, 20],
      [1, 2, -15],
      [2, 0, 5],
    ]);
    const found = differences(input, solveNetwork(input).xNs);
    [16.667, -18.333, 1.667].forEach((expected, e) => {
      expect(found[e]).toBeCloseTo(expected, 3);
    });
  });

  it("finds the true offset of the paper's second loop", () => {
    const input = network(4, [
      [0, 1, 20],
      [1, 2, -15],
      [2, 0, 5],
      [1, 3, 25],
      [3, 0, -15],
    ]);
    const found = differences(input, solveNetwork(input).xNs);
    [10, -15, 5, 15, -25].forEach((expected, e) => {
      expect(found[e]).toBeCloseTo(expected, 6);
    });
  });

  it("agrees with a dense solve on a random mesh of 40 hosts, sigmas too", () => {
    const { input, truth } = randomMesh(SEED, 40, 5, 0);
    // Sigmas so large that no residual is an outlier: what is left is plain least squares.
    const plain = { ...input, sigmaNs: input.sigmaNs.map((_, e) => 2000 + 50 * (e % 7)) };
    const expected = dense(plain);
    const found = solveNetwork(plain);
    for (let i = 0; i < 40; i++) {
      expect(Math.abs(found.xNs[i] - expected.x[i])).toBeLessThan(0.05);
      expect(Math.abs(found.xNs[i] - truth[i])).toBeLessThan(60);
      expect(found.sigmaNs[i]).toBeCloseTo(expected.sigma[i], 0);
    }
  });

  it("tells sigmas that cover the truth", () => {
    let within = 0;
    let count = 0;
    for (let seed = SEED; seed < SEED + 20; seed++) {
      const { input, truth } = randomMesh(seed, 40, 10, 0);
      const found = solveNetwork(input);
      for (let i = 1; i < 40; i++) {
        count++;
        if (Math.abs(found.xNs[i] - truth[i]) <= found.sigmaNs[i]) within++;
      }
    }
    console.log(`network: ${Math.round((100 * within) / count)} % within sigma`);
    expect(within / count).toBeGreaterThan(0.6);
    expect(within / count).toBeLessThan(0.8);
  });

  it("withstands 15 % of edges biased by 300 to 1500 ns", () => {
    const p99 = (biasedShare: number): number => {
      const errors: number[] = [];
      for (let seed = SEED; seed < SEED + 50; seed++) {
        const { input, truth } = randomMesh(seed, 40, 10, biasedShare);
        const found = solveNetwork(input);
        for (let i = 1; i < 40; i++) errors.push(Math.abs(found.xNs[i] - truth[i]));
      }
      errors.sort((a, b) => a - b);
      return errors[Math.floor(0.99 * errors.length)];
    };
    const clean = p99(0);
    const biased = p99(0.15);
    console.log(`network: p99 ${clean.toFixed(1)} ns clean, ${biased.toFixed(1)} ns with biases`);
    expect(biased).toBeLessThan(3 * clean);
  });

  it("names the biased edge by its trust and residual", () => {
    const { input, truth } = randomMesh(SEED, 20, 6, 0);
    input.offsetNs[7] = truth[input.to[7]] - truth[input.from[7]] + 900;
    const found = solveNetwork(input);
    expect(found.trust[7]).toBeLessThan(0.01);
    expect(Math.abs(found.residualNs[7] - 900)).toBeLessThan(60);
  });

  it("leaves hosts without a path to the reference at NaN", () => {
    const input = network(5, [
      [0, 1, 10],
      [3, 4, 7],
    ]);
    const found = solveNetwork(input);
    expect(found.xNs[0]).toBe(0);
    expect(found.xNs[1]).toBeCloseTo(10, 9);
    for (let i = 2; i < 5; i++) expect(found.xNs[i]).toBeNaN();
    expect(found.sigmaNs[1]).toBeCloseTo(20, 6);
    expect(found.sigmaNs[3]).toBeNaN();
    expect(found.residualNs[1]).toBeNaN();
    expect([...found.trust]).toEqual([1, 0]);
  });

  it("does not let an island set the scale of residuals", () => {
    const { input } = randomMesh(SEED, 20, 4, 0);
    const island: [number, number, number][] = [];
    for (let i = 0; i < 300; i++) island.push([20, 21, 1e6]);
    const rows = Array.from(input.from, (from, e) => {
      return [from, input.to[e], input.offsetNs[e]] as const;
    });
    const together = solveNetwork(network(22, [...rows, ...island]));
    const alone = solveNetwork(input);
    for (let i = 1; i < 20; i++) expect(together.sigmaNs[i]).toBeCloseTo(alone.sigmaNs[i], 3);
  });

  it("ignores edges without a usable sigma or offset", () => {
    const input = network(
      3,
      [
        [0, 1, 10],
        [1, 2, 5],
        [0, 1, Number.NaN],
        [0, 2, 900],
        [1, 1, 3],
      ],
      [20, 20, 20, 0, 20],
    );
    const found = solveNetwork(input);
    expect(found.xNs[2]).toBeCloseTo(15, 6);
    expect([...found.trust]).toEqual([1, 1, 0, 0, 0]);
  });

  it("tells the sigma of a large mesh to some per cent, by sketch", () => {
    const { input } = randomMesh(SEED, 100, 4, 0);
    const large = solveNetwork({ ...input, sigmaNs: input.sigmaNs.map((s) => 100 * s) });
    const exact = dense(input);
    for (let i = 1; i < 100; i++) {
      const ratio = large.sigmaNs[i] / (100 * exact.sigma[i]);
      expect(ratio).toBeGreaterThan(0.98);
      expect(ratio).toBeLessThan(1.25);
    }
  });

  it("solves plain least squares when it shall not be robust, and tells its sigma", () => {
    const { input } = randomMesh(SEED, 40, 10, 0.15);
    const plain = solveNetwork(input, { robust: false });
    const expected = dense(input);
    for (let i = 0; i < 40; i++) expect(plain.xNs[i]).toBeCloseTo(expected.x[i], 2);
    expect(plain.trust.every((t) => t === 1)).toBe(true);
    expect(plain.scale).toBeGreaterThan(10);
    expect(plain.sigmaNs[5]).toBeCloseTo(plain.scale * expected.sigma[5], 3);
  });

  it("leaves excluded edges out and tells their residuals", () => {
    const { input, truth } = randomMesh(SEED, 20, 6, 0);
    input.offsetNs[7] = truth[input.to[7]] - truth[input.from[7]] + 900;
    const excluded = new Uint8Array(input.edgeCount);
    excluded[7] = 1;
    const plain = solveNetwork({ ...input, excluded }, { robust: false });
    const without = dense({ ...input, sigmaNs: input.sigmaNs.map((s, e) => (e === 7 ? 1e12 : s)) });
    expect(plain.trust[7]).toBe(0);
    expect(Math.abs(plain.residualNs[7] - 900)).toBeLessThan(60);
    for (let i = 0; i < 20; i++) expect(plain.xNs[i]).toBeCloseTo(without.x[i], 2);
  });

  it("has no x for a host whose only edge is excluded", () => {
    const input = network(3, [
      [0, 1, 10],
      [1, 2, 5],
    ]);
    const found = solveNetwork({ ...input, excluded: Uint8Array.of(0, 1) });
    expect(found.xNs[2]).toBeNaN();
    expect(found.residualNs[1]).toBeNaN();
  });

  it("prints what a thousand hosts cost", () => {
    const { input, truth } = randomMesh(SEED, 1000, 10, 0.05);
    const start = performance.now();
    const found = solveNetwork(input);
    console.log(`network: 1000 hosts, 10 000 edges: ${(performance.now() - start).toFixed(0)} ms`);
    const worst = Math.max(...truth.map((x, i) => Math.abs(found.xNs[i] - x)));
    expect(worst).toBeLessThan(60);
  });
});
