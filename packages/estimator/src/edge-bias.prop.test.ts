import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { EdgeBias } from "./edge-bias.ts";
import type { BiasInput } from "./edge-bias-memory.ts";
import { SyntheticMesh, solveBiased } from "./synthetic-mesh.ts";

const RUNS = { seed: 20260711, numRuns: 25 };

const mesh = (seed: number, hosts: number, neighbours: number) =>
  new SyntheticMesh(seed, hosts, neighbours, (random) => [
    random.between(0, 8_000) * (random.uniform() < 0.3 ? 1 : 0),
    random.between(0, 3_000),
  ]);

const anyMesh = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  hosts: fc.integer({ min: 3, max: 16 }),
  neighbours: fc.integer({ min: 2, max: 9 }),
});

it("does not care in which order edges come, nor which end they run from", () => {
  fc.assert(
    fc.property(anyMesh, ({ seed, hosts, neighbours }) => {
      const world = mesh(seed, hosts, neighbours);
      const random = new Prng(seed);
      const order = [...world.from.keys()].sort(() => random.uniform() - 0.5);
      const [straight, shuffled] = [new EdgeBias(), new EdgeBias()];
      for (let round = 0; round < 6; round++) {
        const input = world.measure();
        const turned: BiasInput = {
          ...input,
          from: Int32Array.from(order, (e) => input.to[e]),
          to: Int32Array.from(order, (e) => input.from[e]),
          offsetNs: Float64Array.from(order, (e) => -input.offsetNs[e]),
          roundTripNs: Float64Array.from(order, (e) => input.roundTripNs[e]),
        };
        const a = solveBiased(straight, input).xNs;
        const b = solveBiased(shuffled, turned).xNs;
        for (let i = 0; i < hosts; i++) {
          // The solve itself is exact to a share of its sigma only; biases are thousands of ns.
          expect(Math.abs(a[i] - b[i])).toBeLessThan(20);
        }
      }
    }),
    RUNS,
  );
});

it("moves with its hosts: offsets between them change nothing about biases", () => {
  fc.assert(
    fc.property(anyMesh, ({ seed, hosts, neighbours }) => {
      const world = mesh(seed, hosts, neighbours);
      const random = new Prng(seed + 1);
      const [still, moved] = [new EdgeBias(), new EdgeBias()];
      for (let round = 0; round < 6; round++) {
        const input = world.measure();
        const at = Float64Array.from({ length: hosts }, (_, i) =>
          i === 0 ? 0 : random.between(-1e5, 1e5),
        );
        const offsetNs = input.offsetNs.map((o, e) => o + at[input.to[e]] - at[input.from[e]]);
        const a = solveBiased(still, input).xNs;
        const b = solveBiased(moved, { ...input, offsetNs }).xNs;
        for (let i = 0; i < hosts; i++) expect(Math.abs(b[i] - a[i] - at[i])).toBeLessThan(0.5);
      }
    }),
    RUNS,
  );
});

it("stays finite whatever edges say", () => {
  const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0, -1, 1e12, 1e-9);
  fc.assert(
    fc.property(
      anyMesh,
      fc.array(fc.record({ at: fc.nat(), column: fc.nat(2), value: odd }), { maxLength: 12 }),
      ({ seed, hosts, neighbours }, spoils) => {
        const world = mesh(seed, hosts, neighbours);
        const bias = new EdgeBias();
        for (let round = 0; round < 8; round++) {
          const input = world.measure();
          for (const { at, column, value } of spoils) {
            if (at % 3 !== round % 3) continue;
            const values = [input.offsetNs, input.sigmaNs, input.roundTripNs][column];
            values[at % input.edgeCount] = value;
          }
          solveBiased(bias, input);
        }
        const input = world.measure();
        const told = bias.adjust(input);
        for (let e = 0; e < input.edgeCount; e++) {
          expect(Number.isFinite(told.offsetNs[e])).toBe(true);
          expect(told.sigmaNs[e]).toBeGreaterThan(0);
        }
        for (const sigma of bias.hostSigmaNs(input)) expect(Number.isFinite(sigma)).toBe(true);
      },
    ),
    RUNS,
  );
});
