/**
 * What a run showed, judged by the truth: looked at ten times a second of simulated time.
 *
 * Errors are of system clocks against domain time, of hosts that say LOCKED or HOLDOVER, from the
 * settling time on; bounds are judged from the first one published, whatever the state. Sigma is
 * judged by the line that a host holds, every 2 s, so that windows do not overlap.
 */
import { mix32, Prng } from "@ttcs/units";
import { RegionFigures } from "./region-figures.ts";
import { Samples } from "./samples.ts";
import type { SimHost } from "./sim-host.ts";
import type { Simulation } from "./simulation.ts";
import { type Domain, domainNsAt, domainOf, lineNsAt } from "./truth.ts";

/** Looks (ns), and how many of them between two judgements of sigma. */
export const LOOK_EVERY_NS = 100e6;
const SIGMA_EVERY = 20;
/** Clocks show whole nanoseconds, rounded down: a bound made of readings may be short by that (ns). */
const ROUNDING_NS = 1;
const OUTSIDE_TOLD = 5;
const SHARES = [0.5, 0.9, 0.99, 1];

/** Percentiles of a set (ns); null: it is empty. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** One look at which truth was outside of a bound. */
export interface Outside {
  readonly atS: number;
  readonly host: string;
  readonly state: string;
  readonly to: "domain" | "UTC";
  readonly errorNs: number;
  readonly boundNs: number;
}

/** The figures of a run. */
export interface SimFigures {
  readonly errorNs: Percentiles;
  /** Of two hosts against each other. */
  readonly pairwiseNs: Percentiles;
  /** In a world of regions: inside a region, and of hosts outside of the one that leads. */
  readonly insideNs: Percentiles;
  readonly acrossNs: Percentiles;
  readonly boundNs: Percentiles;
  readonly boundSamples: number;
  readonly outsideBound: number;
  readonly utcSamples: number;
  readonly outsideUtc: number;
  readonly outside: readonly Outside[];
  /** Share of the lines' |errors| within 1, 2 and 2.6 of their own sigmas, and of how many. */
  readonly sigmaShares: readonly [number, number, number];
  readonly sigmaSamples: number;
  /** When the last host was LOCKED first (s); null: not all were. */
  readonly lockedS: number | null;
  /** Share of looks, from the settling time on, at which a host was LOCKED. */
  readonly lockedShare: number;
  /** Of the host that has been stepped most. */
  readonly stepsMax: number;
  /** Changes of state from the settling time on, all hosts. */
  readonly stateChanges: number;
  readonly hash: string;
}

/** See the module head. */
export class FigureBook {
  readonly #world: Simulation;
  readonly #settledNs: number;
  readonly #random: Prng;
  readonly #errors = new Samples();
  readonly #pairwise = new Samples();
  readonly #regions = new RegionFigures();
  readonly #bounds = new Samples();
  readonly #states: string[];
  readonly #lockedNs: number[];
  /** Errors of this look, of the hosts that count. */
  readonly #now: Float64Array;
  #domain: Domain | undefined;
  #looks = 0;
  #settledLooks = 0;
  #lockedLooks = 0;
  #boundSamples = 0;
  #utcSamples = 0;
  #outsideBound = 0;
  #outsideUtc = 0;
  readonly #outside: Outside[] = [];
  #sigmaSamples = 0;
  readonly #within: [number, number, number] = [0, 0, 0];
  #stateChanges = 0;

  constructor(world: Simulation, settleS: number) {
    this.#world = world;
    this.#settledNs = settleS * 1e9;
    this.#random = new Prng(mix32(world.options.seed, 3));
    this.#states = world.hosts.map(() => "");
    this.#lockedNs = world.hosts.map(() => Number.NaN);
    this.#now = new Float64Array(world.hosts.length);
    world.observe(LOOK_EVERY_NS, () => this.#look());
  }

  #look(): void {
    const { hosts, nowNs, hash } = this.#world;
    this.#domain = domainOf(hosts, this.#domain);
    const domain = this.#domain;
    const domainNs = domain ? domainNsAt(domain, nowNs) : Number.NaN;
    const sigmaToo = this.#looks++ % SIGMA_EVERY === 0 && nowNs >= this.#settledNs;
    let count = 0;
    for (const host of hosts) {
      hash.number(host.stamper.sumNs);
      if (!host.alive) {
        this.#note(host, "gone");
        continue;
      }
      const errorNs = host.clock.systemNsAt(nowNs) - domainNs;
      hash.number(errorNs);
      const state = this.#judge(host, errorNs);
      const counts = state === "LOCKED" || state === "HOLDOVER";
      if (!counts || nowNs < this.#settledNs || host.hasSource || !domain) continue;
      this.#errors.push(Math.abs(errorNs));
      this.#now[count++] = errorNs;
      if (sigmaToo && state === "LOCKED" && host !== domain.reference) {
        this.#judgeSigma(host, domainNs);
      }
    }
    this.#judgePairs(count);
    if (nowNs >= this.#settledNs && this.#world.options.regions > 1) {
      this.#regions.look(hosts, domain, nowNs);
    }
  }

  /** Bounds and state of one host; returns the state. */
  #judge(host: SimHost, errorNs: number): string {
    const { nowNs } = this.#world;
    const { verdict, offsetNs, boundNs, utcBoundNs } = host.core.standing(host.rawAt(nowNs));
    const { state } = verdict;
    if (offsetNs !== undefined && Number.isFinite(errorNs) && Number.isFinite(boundNs)) {
      this.#boundSamples++;
      if (nowNs >= this.#settledNs) this.#bounds.push(boundNs);
      if (Math.abs(errorNs) > boundNs + ROUNDING_NS) {
        this.#outsideBound++;
        this.#tell(host, state, "domain", errorNs, boundNs);
      }
      if (utcBoundNs !== undefined) this.#judgeUtc(host, state, utcBoundNs);
    }
    this.#note(host, state);
    if (nowNs >= this.#settledNs) {
      this.#settledLooks++;
      if (state === "LOCKED") this.#lockedLooks++;
    }
    return state;
  }

  #judgeUtc(host: SimHost, state: string, utcBoundNs: number): void {
    const utcErrorNs = host.clock.systemNsAt(this.#world.nowNs) - this.#world.nowNs;
    this.#utcSamples++;
    if (Math.abs(utcErrorNs) <= utcBoundNs + ROUNDING_NS) return;
    this.#outsideUtc++;
    this.#tell(host, state, "UTC", utcErrorNs, utcBoundNs);
  }

  #judgeSigma(host: SimHost, domainNs: number): void {
    const { nowNs } = this.#world;
    const { line } = host.core.keeper;
    const { sigmaNs } = host.core.keeper.lineError(host.rawAt(nowNs));
    if (!line || !(sigmaNs > 0)) return;
    const z = Math.abs(lineNsAt(line, host, nowNs) - domainNs) / sigmaNs;
    this.#sigmaSamples++;
    if (z <= 1) this.#within[0]++;
    if (z <= 2) this.#within[1]++;
    if (z <= 2.6) this.#within[2]++;
  }

  /** As many pairs of hosts as there are hosts. */
  #judgePairs(count: number): void {
    for (let i = 0; i < count && count > 1; i++) {
      const other = Math.floor(this.#random.uniform() * count);
      if (other !== i) this.#pairwise.push(Math.abs(this.#now[i] - this.#now[other]));
    }
  }

  #note(host: SimHost, state: string): void {
    const { nowNs, hash } = this.#world;
    const { index } = host;
    if (state === "LOCKED" && Number.isNaN(this.#lockedNs[index])) this.#lockedNs[index] = nowNs;
    if (state === this.#states[index]) return;
    if (nowNs >= this.#settledNs) this.#stateChanges++;
    this.#states[index] = state;
    hash.text(state);
  }

  #tell(host: SimHost, state: string, to: Outside["to"], errorNs: number, boundNs: number): void {
    if (this.#outside.length >= OUTSIDE_TOLD) return;
    const atS = this.#world.nowNs * 1e-9;
    this.#outside.push({ atS, host: host.id, state, to, errorNs, boundNs });
  }

  get figures(): SimFigures {
    const lockedNs = Math.max(...this.#lockedNs);
    const samples = this.#sigmaSamples;
    const [one, two, more] = this.#within.map((n) => n / Math.max(1, samples));
    return {
      errorNs: percentilesOf(this.#errors),
      pairwiseNs: percentilesOf(this.#pairwise),
      insideNs: percentilesOf(this.#regions.inside),
      acrossNs: percentilesOf(this.#regions.across),
      boundNs: percentilesOf(this.#bounds),
      boundSamples: this.#boundSamples,
      outsideBound: this.#outsideBound,
      utcSamples: this.#utcSamples,
      outsideUtc: this.#outsideUtc,
      outside: this.#outside,
      sigmaShares: [one, two, more],
      sigmaSamples: samples,
      lockedS: Number.isNaN(lockedNs) ? null : lockedNs * 1e-9,
      lockedShare: this.#lockedLooks / Math.max(1, this.#settledLooks),
      stepsMax: Math.max(0, ...this.#world.steps),
      stateChanges: this.#stateChanges,
      hash: this.#world.hash.hex,
    };
  }
}

/** The percentiles that figures have. */
export function percentilesOf(samples: Samples): Percentiles {
  const [p50, p90, p99, max] = samples.percentiles(SHARES);
  return { p50, p90, p99, max };
}
