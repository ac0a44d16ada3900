import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NetworkSolver, solveNetwork } from "./network.ts";
import type { NetworkInput } from "./network-columns.ts";

/** A ring with chords; sigmas over a decade, a share of the edges biased. */
function mesh(seed: number, hostCount: number, chords: number, biasedShare: number): NetworkInput {
  const random = new Prng(seed);
  const from: number[] = [];
  const to: number[] = [];
  for (let i = 0; i < hostCount; i++) {
    from.push(i);
    to.push((i + 1) % hostCount);
    for (let k = 0; k < chords; k++) {
      from.push(i);
      to.push((i + 1 + Math.floor(random.uniform() * (hostCount - 1))) % hostCount);
    }
  }
  const truth = Float64Array.from({ length: hostCount }, () => random.between(-1e4, 1e4));
  const sigmaNs = Float64Array.from(from, () => 10 ** random.between(0.5, 1.5));
  const offsetNs = Float64Array.from(from, (a, e) => {
    const bias = random.uniform() < biasedShare ? random.between(-1500, 1500) : 0;
    return truth[to[e]] - truth[a] + bias + sigmaNs[e] * random.normal();
  });
  return {
    hostCount,
    edgeCount: from.length,
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    offsetNs,
    sigmaNs,
    reference: 0,
  };
}

/** The upper median, by sorting. */
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

/** The same least squares by Gauss's elimination: x, and the inverse's diagonal. */
function denseSolve(input: NetworkInput, weights: readonly number[]) {
  const n = input.hostCount;
  const rows = Array.from({ length: n }, (_, i) => {
    return Array.from({ length: 2 * n + 1 }, (_, j) => (j === n + 1 + i ? 1 : 0));
  });
  weights.forEach((weight, e) => {
    const [i, j] = [input.from[e], input.to[e]];
    rows[i][i] += weight;
    rows[j][j] += weight;
    rows[i][j] -= weight;
    rows[j][i] -= weight;
    rows[i][n] -= weight * input.offsetNs[e];
    rows[j][n] += weight * input.offsetNs[e];
  });
  for (let k = 1; k < n; k++) {
    for (let r = 1; r < n; r++) {
      const factor = rows[r][k] / rows[k][k];
      if (r === k || factor === 0) continue;
      for (let c = 1; c <= 2 * n; c++) rows[r][c] -= factor * rows[k][c];
    }
  }
  return {
    x: rows.map((row, i) => (i === 0 ? 0 : row[n] / row[i])),
    resistance: rows.map((row, i) => (i === 0 ? 0 : row[n + 1 + i] / row[i])),
  };
}

/** The definition: six rounds of Huber's weights and eight of Tukey's, each solved densely. */
function reference(input: NetworkInput) {
  const floor = 0.2 * median([...input.sigmaNs]);
  const sigma = [...input.sigmaNs].map((s) => Math.max(s, floor));
  let scale = 1;
  let weights = sigma.map((s) => s ** -2);
  let solved = denseSolve(input, weights);
  for (let round = 0; round < 14; round++) {
    const sizes = sigma.map((s, e) => {
      return Math.abs(input.offsetNs[e] - (solved.x[input.to[e]] - solved.x[input.from[e]])) / s;
    });
    scale = Math.max(1, 1.4826 * median([...sizes]));
    weights = sizes.map((size, e) => {
      const share = size / scale / 4.685;
      const tukey = share < 1 ? (1 - share ** 2) ** 2 : 0;
      const trust = round < 6 ? Math.min(1, (1.345 * scale) / size) : tukey;
      return Math.max(1e-6, trust) / sigma[e] ** 2;
    });
    solved = denseSolve(input, weights);
  }
  return { x: solved.x, sigma: solved.resistance.map((r) => scale * Math.sqrt(r)) };
}

const anyMesh = fc.record({
  seed: fc.integer(),
  hostCount: fc.integer({ min: 3, max: 40 }),
  chords: fc.constantFrom(0, 1, 2, 5),
  biasedShare: fc.constantFrom(0, 0.1),
});

it("finds what fourteen rounds of dense solves find, sigmas too", () => {
  fc.assert(
    fc.property(anyMesh, ({ seed, hostCount, chords, biasedShare }) => {
      const input = mesh(seed, hostCount, chords, biasedShare);
      const expected = reference(input);
      const found = solveNetwork(input);
      for (let i = 1; i < hostCount; i++) {
        const apartNs = Math.abs(found.xNs[i] - expected.x[i]);
        expect(apartNs / expected.sigma[i]).toBeLessThan(1e-3);
        expect(found.sigmaNs[i] / expected.sigma[i]).toBeCloseTo(1, 3);
      }
    }),
    { seed: 4, numRuns: 100 },
  );
});

it("finds the same wherever the solve is told to begin", () => {
  fc.assert(
    fc.property(anyMesh, fc.double({ min: 0, max: 1e5 }), (plan, farNs) => {
      const input = mesh(plan.seed, plan.hostCount, plan.chords, plan.biasedShare);
      const random = new Prng(plan.seed + 1);
      const start = Float64Array.from({ length: plan.hostCount }, () => {
        return random.uniform() < 0.1 ? Number.NaN : farNs * random.normal();
      });
      const cold = solveNetwork(input);
      const warm = solveNetwork(input, { start });
      for (let i = 0; i < plan.hostCount; i++) {
        expect(Math.abs(warm.xNs[i] - cold.xNs[i])).toBeLessThanOrEqual(1e-3 * cold.sigmaNs[i]);
      }
    }),
    { seed: 5, numRuns: 100 },
  );
});

it("solves a large mesh to some hundredths of a sigma at the worst, and to a thousandth as a rule", () => {
  const input = mesh(11, 400, 4, 0.05);
  const expected = reference(input);
  const found = solveNetwork(input);
  const off = expected.x.map((x, i) => Math.abs(found.xNs[i] - x) / expected.sigma[i]).slice(1);
  off.sort((a, b) => a - b);
  console.log(
    `network: 400 hosts, median ${off[200].toExponential(1)} sigma, worst ${off[398].toExponential(1)}`,
  );
  expect(off[200]).toBeLessThan(5e-3);
  expect(off[398]).toBeLessThan(0.1);
}, 60_000);

it("takes a number of walks over the mesh that hardly grows with it", () => {
  const walks = [300, 1000, 3000, 10_000].map((hostCount) => {
    const input = mesh(3, hostCount, 4, 0.02);
    const solver = new NetworkSolver(input, 0);
    solver.solve(input);
    return solver.walkCount;
  });
  console.log(`network: ${walks.join(", ")} walks for 300, 1000, 3000 and 10 000 hosts`);
  // Thirty-three times the hosts may take one and a half times the walks: power 1.12 in all.
  expect(walks[3]).toBeLessThan(1.5 * walks[0]);
});

describe("sigmas between two sketches", () => {
  /** Smallest sigma over the exact one when a share of the edges has become worse since. */
  function leastRatio(worseShare: number, times: number) {
    const input = mesh(21, 120, 3, 0);
    const solver = new NetworkSolver(input, 0);
    solver.solve(input, { robust: false });
    solver.resistances.refresh();
    const random = new Prng(22);
    const sigmaNs = input.sigmaNs.map((s) => (random.uniform() < worseShare ? times * s : s));
    solver.solve({ ...input, sigmaNs }, { robust: false });
    const found = solver.told();
    const floor = 0.2 * median([...sigmaNs]);
    const weights = [...sigmaNs].map((s) => Math.max(s, floor) ** -2);
    const ratios = denseSolve(input, weights).resistance.map((r, i) => {
      return found.sigmaNs[i] / (found.scale * Math.sqrt(r));
    });
    const least = Math.min(...ratios.slice(1));
    console.log(
      `network: edges ${times} x worse: sigma over exact sigma ${least.toFixed(3)} at least`,
    );
    return { least, isCurrent: solver.resistances.isCurrent };
  }

  it("hardly understates sigma when some edges become worse after the sketch", () => {
    const { least, isCurrent } = leastRatio(0.1, 1.5);
    expect(isCurrent).toBe(true);
    expect(least).toBeGreaterThan(0.95);
  });

  it("asks for a new sketch when much has changed, and is not far off until then", () => {
    const { least, isCurrent } = leastRatio(0.5, 5);
    expect(isCurrent).toBe(false);
    expect(least).toBeGreaterThan(0.8);
  });

  it("takes the best single path for a host that no sketch knows", () => {
    const input = mesh(23, 100, 2, 0);
    const solver = new NetworkSolver(input, 0);
    solver.solve(input, { robust: false });
    expect(solver.resistances.isCurrent).toBe(false);
    const unknown = solver.told().sigmaNs.slice();
    solver.resistances.refresh();
    expect(solver.resistances.isCurrent).toBe(true);
    const { sigmaNs } = solver.told();
    for (let i = 1; i < 100; i++)
      expect(unknown[i]).toBeGreaterThanOrEqual(sigmaNs[i] * (1 - 1e-9));
  });
});
