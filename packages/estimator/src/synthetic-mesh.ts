/** Meshes with known biases, for tests: what edges measure, round after round. */
import { Prng } from "@ttcs/units";
import { EdgeBias } from "./edge-bias.ts";
import type { BiasInput } from "./edge-bias-memory.ts";
import { type NetworkSolution, solveNetwork } from "./network.ts";

/** What the two directions of one edge take beyond the shortest (ns). */
export type Detours = (random: Prng) => readonly [thereNs: number, backNs: number];

/** Each direction 10 us, both longer by up to 2 us alike; detours on top. */
const BASE_NS = 20_000;
const ALIKE_NS_MAX = 4_000;

/** A mesh whose hosts' true offsets are 0. */
export class SyntheticMesh {
  readonly hostCount: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** True biases (ns); may be written. */
  readonly biasNs: Float64Array;
  readonly roundTripNs: Float64Array;
  readonly #random: Prng;
  readonly #sigmaNs: number;

  constructor(seed: number, hostCount: number, neighbours: number, detours: Detours, sigmaNs = 5) {
    this.#random = new Prng(seed);
    this.#sigmaNs = sigmaNs;
    this.hostCount = hostCount;
    const edges = deal(hostCount, neighbours, this.#random);
    this.from = Int32Array.from(edges, (e) => e[0]);
    this.to = Int32Array.from(edges, (e) => e[1]);
    this.biasNs = new Float64Array(edges.length);
    this.roundTripNs = new Float64Array(edges.length);
    for (let e = 0; e < edges.length; e++) {
      const [thereNs, backNs] = detours(this.#random);
      this.biasNs[e] = (thereNs - backNs) / 2;
      this.roundTripNs[e] = BASE_NS + this.#random.between(0, ALIKE_NS_MAX) + thereNs + backNs;
    }
  }

  /** What the edges say in one round; of `edges` only, when given. */
  measure(edges: readonly number[] = [...this.from.keys()]): BiasInput {
    return {
      hostCount: this.hostCount,
      edgeCount: edges.length,
      from: Int32Array.from(edges, (e) => this.from[e]),
      to: Int32Array.from(edges, (e) => this.to[e]),
      hosts: Array.from({ length: this.hostCount }, (_, i) => i + 1),
      offsetNs: Float64Array.from(edges, (e) => this.biasNs[e] + this.#noiseNs()),
      sigmaNs: new Float64Array(edges.length).fill(this.#sigmaNs),
      roundTripNs: Float64Array.from(edges, (e) => this.roundTripNs[e]),
      reference: 0,
    };
  }

  #noiseNs(): number {
    return this.#sigmaNs * this.#random.normal();
  }
}

/** Solves one round as a coordinator does; `excluded` takes no part. */
export function solveBiased(
  bias: EdgeBias,
  input: BiasInput,
  excluded = new Uint8Array(input.edgeCount),
): NetworkSolution & { readonly wholeNs: Float64Array; readonly wholeTrust: Float64Array } {
  for (;;) {
    const cold = bias.isCold;
    const solved = solveNetwork({ ...input, ...bias.adjust(input), excluded });
    const whole = bias.learn(input, solved.residualNs, solved.trust);
    if (!cold) return { ...solved, wholeNs: whole.residualNs, wholeTrust: whole.trust };
  }
}

/** Solves so many rounds and returns the last one's offsets. */
export function settle(mesh: SyntheticMesh, rounds: number, bias = new EdgeBias()): Float64Array {
  let x = new Float64Array(mesh.hostCount);
  for (let round = 0; round < rounds; round++) x = solveBiased(bias, mesh.measure()).xNs.slice();
  return x;
}

/** The quantile of sizes. */
export function sizeQuantile(values: readonly number[], q: number): number {
  const sizes = values.map(Math.abs).sort((a, b) => a - b);
  return sizes[Math.min(sizes.length - 1, Math.floor(q * sizes.length))];
}

function deal(hostCount: number, neighbours: number, random: Prng): [number, number][] {
  const edges = new Map<number, [number, number]>();
  const add = (a: number, b: number) => {
    if (a !== b) edges.set(Math.min(a, b) * hostCount + Math.max(a, b), [a, b]);
  };
  if (neighbours >= hostCount - 1) {
    for (let a = 0; a < hostCount; a++) for (let b = a + 1; b < hostCount; b++) add(a, b);
    return [...edges.values()];
  }
  for (let a = 0; a < hostCount; a++) add(a, (a + 1) % hostCount);
  const wanted = Math.ceil((hostCount * neighbours) / 2);
  while (edges.size < wanted) add(random.next() % hostCount, random.next() % hostCount);
  return [...edges.values()];
}
