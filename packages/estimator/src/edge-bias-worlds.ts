/**
 * The worlds that a mesh's biases may be from, kept up to date and weighed against each other.
 *
 * Each world has its posterior (`edge-bias-posterior.ts`). A round goes on with a pass over the sites of
 * each, and with an attempt from the beginning, which replaces a world's posterior when it explains
 * the mesh better; how much of it a round does is limited. What is published moves with the worlds'
 * smoothed weights, a quarter of the way a round, so that nothing switches (Bayesian model
 * averaging; J. Hoeting et al., Statistical Science 14(4), 1999).
 */
import type { BiasMemory } from "./edge-bias-memory.ts";
import { BiasPosterior } from "./edge-bias-posterior.ts";
import { MIXED, OUTLIERS, PLAIN, WALLS, WORLDS } from "./edge-bias-prior.ts";
import { medianOf } from "./quantile.ts";

/** Passes of an attempt, in a small mesh and in a large one; the last sixth at temperature 1. */
const PASSES = 60;
const PASSES_LARGE = 30;
const LARGE_EDGES = 2_000;
const COOLING = 5 / 6;
/** An attempt that changes its evidence by more than this per edge in a pass goes on for longer. */
const SETTLED_PER_EDGE = 0.01;
/** An attempt replaces the posterior at hand when its evidence is better by this (natural log). */
const BETTER_BY = 2;
/** Logarithm of the prior odds of each world: clean edges have to show that they are. */
const LOG_ODDS = [0, -8, 0, -3] as const;
/** Outliers are a minority: what each edge takes off the logarithm, per share missing to a half. */
const MINORITY_LOG_ODDS = 2;
/** Visits of edges in a round: of a small mesh, of a large one, and before anything is known. */
const BUDGET_MIN = 2_000;
const BUDGET_MAX = 8_000;
const BUDGET_COLD = 40_000;
/** Rounds in which what was found counts at once; later a quarter of it a round, so that nobody jumps. */
const EARLY_ROUNDS = 4;
const SHARE_PER_ROUND = 0.25;
/** Evidence is averaged over so many rounds in the end: sites and shares still move a little. */
const EVIDENCE_ROUNDS = 20;
/** Attempts that find nothing better are made ever more seldom, up to so many rounds apart. */
const PAUSE_ROUNDS_MAX = 64;
/** and as a share of the rounds so far. */
const PAUSE_SHARE = 8;
/**
 * Share of the variance that `walls` take off plain least squares' which they cannot vouch for: they
 * find one peak of many, on which side of its detour each bias lies, and not always the right one.
 * Chosen so that one and two sigmas hold 68 % and 95 % in meshes of 10 and 20 hosts.
 */
const UNSEEN_PEAKS = 0.18;

/** See the module head. Made anew for another mesh. */
export class BiasWorlds {
  #memory: BiasMemory;
  #worlds: (BiasPosterior | undefined)[] = [];
  #attempt: BiasPosterior | undefined;
  /** World whose turn it is: of those at hand, then of the attempt. */
  #warming = 0;
  #attemptWorld = WALLS;
  #pause = 0;
  #pauseNext = 1;
  /** Slots that the first robust solve trusted; a first attempt begins there. */
  #firstTrusted: Uint8Array | undefined;
  #rounds = 0;
  /** Square of the median bias (ns squared). */
  #usualNs2 = 0;
  /** Each world's evidence (natural logarithm), smoothed. */
  readonly #logEvidence = new Float64Array(WORLDS).fill(Number.NaN);
  /** Weight of each world, 1 in all; 0 before all are known. */
  readonly weights = new Float64Array(WORLDS);

  constructor(memory: BiasMemory) {
    this.#memory = memory;
  }

  /** Goes on with another memory; `kept` has the old slot of each new one. */
  move(memory: BiasMemory, kept: readonly number[]): void {
    this.#memory = memory;
    this.#worlds = this.#worlds.map((each) => each?.moved(memory, kept));
    this.#attempt = undefined;
    this.#firstTrusted = undefined;
  }

  /** Solves for all worlds' means at once: they have moved, and are asked before their next pass. */
  solve(): void {
    for (const each of this.#worlds) each?.mean.solve(each.precision, each.information);
  }

  /** Begins the passes at hand anew: edges have come, or another host is grounded. */
  restart(): void {
    for (const each of this.#worlds) each?.restart();
    this.#attempt?.restart();
  }

  /** Gives an edge back to the prior: it is a new one, or its path has changed. */
  renew(slot: number): void {
    for (const each of this.#worlds) each?.renew(slot);
    this.#attempt?.renew(slot);
  }

  /** Mean square of an edge's bias of which nothing is known yet (ns squared); 0: nor of others'. */
  unknownNs2(slot: number): number {
    return this.#leading()?.prior.meanSquareNs2(this.#memory.reachNs[slot]) ?? 0;
  }

  /**
   * One round's thinking.
   *
   * @param trusted 1 for each slot that the round's robust solve trusted; the first one counts
   */
  turn(trusted: Uint8Array): void {
    if (this.#rounds++ === 0) this.#firstTrusted = trusted.slice();
    this.#think();
    this.#publish();
  }

  /** Variance of each host's x against the reference's that comes from the biases (ns squared). */
  variancesNs2(reference: number): Float64Array {
    const out = new Float64Array(this.#memory.hostCount);
    const means = new Float64Array(out.length);
    const alike = this.#worlds[PLAIN];
    // Plain least squares' variance, were all biases as large as the middle one.
    const usual = alike ? this.#usualNs2 / alike.prior.meanSquareNs2(Number.NaN) : 0;
    this.#worlds.forEach((each, world) => {
      const weight = this.weights[world];
      if (!each || weight === 0) return;
      const shares = each.biasShares();
      for (let row = 0; row < out.length; row++) {
        const at = each.mean.gaugeNs[row] - each.mean.gaugeNs[reference];
        const share = (shares[row] + shares[reference]) / 2;
        const told = each.mean.betweenNs2(row, reference) * share;
        // On one peak of many, what was not seen of the others shows in what plain squares miss.
        const plain = world >= WALLS ? usual * alike!.mean.betweenNs2(row, reference) : 0;
        const missed = UNSEEN_PEAKS * Math.max(0, plain - told);
        means[row] += weight * at;
        out[row] += weight * (at * at + told + (world >= WALLS ? missed : 0));
      }
    });
    for (let row = 0; row < out.length; row++) out[row] = Math.max(0, out[row] - means[row] ** 2);
    return out;
  }

  get #knowsAll(): boolean {
    for (let world = 0; world < WORLDS; world++) if (!this.#worlds[world]) return false;
    return true;
  }

  #leading(): BiasPosterior | undefined {
    let best = 0;
    for (let world = 1; world < WORLDS; world++) {
      if (this.weights[world] > this.weights[best]) best = world;
    }
    return this.weights[best] > 0 ? this.#worlds[best] : undefined;
  }

  /** Spends the round's budget. */
  #think(): void {
    const cold = !this.#knowsAll;
    const { edgeCount } = this.#memory;
    let budget = Math.max(BUDGET_MIN, Math.min(BUDGET_MAX, edgeCount / 2));
    if (cold) budget = BUDGET_COLD;
    if (this.#warming === 0 || this.#rounds === 1) this.#memory.measureReaches();
    this.#pause = Math.max(0, this.#pause - 1);
    let warmed = 0;
    while (budget > 0) {
      if (this.#warming < WORLDS) {
        budget = this.#warm(this.#warming, budget);
        if (this.#warming === WORLDS && ++warmed > 2) return;
      } else if (this.#pause > 0) {
        this.#warming = 0;
        return;
      } else {
        budget = this.#tryAgain(budget);
      }
    }
  }

  /** One pass over the sites of a world at hand. */
  #warm(world: number, budget: number): number {
    if (world === PLAIN) this.#worlds[PLAIN] ??= this.#begun(PLAIN);
    const each = this.#worlds[world];
    let left = budget;
    if (each) {
      const passes = each.passes;
      left = each.work(budget, 1);
      if (each.passes === passes) return left;
    }
    this.#warming++;
    return left;
  }

  #tryAgain(budget: number): number {
    this.#attempt ??= this.#begun(this.#attemptWorld);
    const attempt = this.#attempt;
    const fromTrust = this.#attemptWorld === OUTLIERS && this.#firstTrusted !== undefined;
    if (fromTrust && attempt.passes === 0) this.#believe(attempt);
    const passes = this.#memory.edgeCount > LARGE_EDGES ? PASSES_LARGE : PASSES;
    const coolness = fromTrust ? 1 : Math.min(1, attempt.passes / (COOLING * passes));
    const left = attempt.work(budget, coolness);
    const moves = attempt.evidenceChange > SETTLED_PER_EDGE * this.#memory.edgeCount + 1;
    if (attempt.passes < passes || (moves && attempt.passes < 3 * passes)) return left;
    const held = this.#worlds[this.#attemptWorld];
    if (held === undefined || attempt.logEvidence > held.logEvidence + BETTER_BY) {
      this.#worlds[this.#attemptWorld] = attempt;
      this.#logEvidence[this.#attemptWorld] = Number.NaN;
      this.#pauseNext = 1;
    } else {
      // While averages still become better by the round, attempts are worth it.
      const limit = Math.min(PAUSE_ROUNDS_MAX, Math.max(2, this.#rounds / PAUSE_SHARE));
      this.#pauseNext = Math.min(limit, 2 * this.#pauseNext);
    }
    if (fromTrust) this.#firstTrusted = undefined;
    else this.#attemptWorld = this.#attemptWorld === MIXED ? OUTLIERS : this.#attemptWorld + 1;
    if (this.#knowsAll) this.#pause = this.#pauseNext;
    this.#attempt = undefined;
    this.#warming = 0;
    return left;
  }

  /** Sets an attempt's sites where the first robust solve ended: edges that it trusted are clean. */
  #believe(attempt: BiasPosterior): void {
    const { noiseNs2, edgeCount } = this.#memory;
    for (let slot = 0; slot < edgeCount; slot++) {
      if (this.#firstTrusted![slot] === 1) attempt.precision[slot] = 1 / (noiseNs2[slot] + 1);
    }
  }

  #begun(world: number): BiasPosterior {
    return new BiasPosterior(this.#memory, world, this.#memory.meanSquareNs2());
  }

  /** Weighs the worlds, and moves what is taken off towards what they expect. */
  #publish(): void {
    const memory = this.#memory;
    if (!this.#knowsAll) return;
    const first = !this.#leading();
    this.#weigh();
    const share = this.#rounds <= EARLY_ROUNDS ? 1 : SHARE_PER_ROUND;
    const gaugeNs = new Float64Array(memory.hostCount);
    const worlds = this.#worlds.map((each, world) => ({
      each: each!,
      weight: this.weights[world],
    }));
    for (const { each, weight } of worlds) {
      for (let i = 0; i < gaugeNs.length; i++) gaugeNs[i] += share * weight * each.mean.gaugeNs[i];
    }
    for (let slot = 0; slot < memory.edgeCount; slot++) {
      let biasNs = 0;
      for (const { each, weight } of worlds) biasNs += weight * each.biasNs[slot];
      // All edges move together with the gauge; one that has just come is taken as it is.
      const own = memory.fresh[slot] === 1 && !first ? 1 : share;
      memory.removedNs[slot] += own * (biasNs - memory.removedNs[slot]);
      memory.fresh[slot] = 0;
    }
    const sizes = memory.removedNs.slice(0, memory.edgeCount).map(Math.abs);
    this.#usualNs2 = medianOf(sizes, sizes.length) ** 2;
    memory.shift(gaugeNs);
    for (const each of [...this.#worlds, this.#attempt]) {
      for (let i = 0; each && i < gaugeNs.length; i++) each.mean.gaugeNs[i] -= gaugeNs[i];
    }
  }

  #weigh(): void {
    let best = Number.NEGATIVE_INFINITY;
    const logs = this.#worlds.map((each, world) => {
      // A minority of edges that agree may agree on a wrong offset: paths of a few lengths do.
      const missing = world === OUTLIERS ? Math.max(0, 0.5 - each!.prior.cleanShare()) : 0;
      const penalty = MINORITY_LOG_ODDS * this.#memory.edgeCount * missing;
      const gain = 1 / Math.min(this.#rounds, EVIDENCE_ROUNDS);
      const told = this.#logEvidence[world];
      // Of sites that still move the evidence may be far too good: it counts against a world only.
      const settled = each!.evidenceChange <= SETTLED_PER_EDGE * this.#memory.edgeCount + 1;
      const now = settled ? each!.logEvidence : Math.min(each!.logEvidence, told);
      this.#logEvidence[world] = Number.isFinite(told)
        ? told + gain * (now - told)
        : each!.logEvidence;
      const log = this.#logEvidence[world] + LOG_ODDS[world] - penalty;
      best = Math.max(best, log);
      return log;
    });
    let sum = 0;
    logs.forEach((log, world) => {
      this.weights[world] = Math.exp(log - best);
      sum += this.weights[world];
    });
    for (let world = 0; world < WORLDS; world++) this.weights[world] /= sum;
  }
}
