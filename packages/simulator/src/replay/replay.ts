/**
 * A recorded world around the real cores: recorded probes in, estimates out.
 *
 * Time is the free-running clock of the reference. A round closes at each multiple of 0.5 s of it;
 * its window are the probes that arrived in the 2 s before. Each window is fitted by the
 * estimator's `fitEdge`, the fits go through the coordinator's `FitBook` and `solveRound`, and each
 * host's track is predicted to 100 ms after the close: the time for transport and computing.
 *
 * Causal: what a round uses depends on nothing but probes that had arrived by its close in truth
 * (`course.ts`, `reach.ts`), never on how far the recording has been read. A round is closed when
 * the rows have gone past the instant of its estimates, so that nothing of its window can follow.
 * Hence the estimates of a recording that breaks off are a prefix of those of the whole.
 *
 * Evidence that time has passed comes from two rows of the reference that do not hang on each other
 * (`witness.ts`), or of two other hosts with a track: one garbled pair closes nothing. A host whose
 * rows go back takes its evidence back; rounds that have been published are not published again.
 */
import {
  FitBook,
  type Host,
  type MeshFit,
  pairKey,
  type RoundResult,
  solveRound,
  type Track,
} from "@ttcs/coordinator/core";
import { EdgeBias, EdgeCourt, EdgeTracker } from "@ttcs/estimator";
import type { EdgeFit } from "@ttcs/protocol";
import {
  addNs,
  assert,
  type RawNanos,
  ROUND_NS,
  rawNanos,
  SECOND_NS,
  WINDOW_NS,
} from "@ttcs/units";
import { HostCourse } from "./course.ts";
import { type EdgeEnds, type Fitter, fitWindow, type Method } from "./edge-window.ts";
import type { TracePlan } from "./plan.ts";
import { type OddCounts, type OddKind, ProbeBuffer } from "./probe-buffer.ts";
import { type DirectedEdge, reachUntracked } from "./reach.ts";
import { Witness } from "./witness.ts";

/** From a round's close to the instant of its estimates (ns): transport and computing. */
export const LEAD_NS = 100_000_000;
/** The paper's windows follow one another: it fits one round in so many. */
const PAPER_ROUNDS = WINDOW_NS / ROUND_NS;
/** After a longer silence of all, rounds go on where the rows go on (ns). */
const SILENCE_NS_MAX = 3600 * SECOND_NS;
/** Stamps further than this from their host's base are not exact as doubles (ns): 104 days. */
const FAR_NS = 2 ** 53;

/** What is said of one host's clock at one instant. */
export interface Estimate {
  /** Index of the host in the plan. */
  readonly host: number;
  /** Instant on the host's raw clock (ns). */
  readonly hostNs: bigint;
  /** What the reference's raw clock shows then: `referenceNs - earlierNs` (0 to 1 ns). */
  readonly referenceNs: bigint;
  readonly earlierNs: number;
  /** Rate of the reference's clock against the host's, minus one (ppb): the format's sign. */
  readonly freqPpb: number;
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** One round that has closed. */
export interface ClosedRound {
  /** The close, on the reference's raw clock. */
  readonly closeRefRawNs: RawNanos;
  readonly estimates: readonly Estimate[];
  /** Fits of this round's windows; hosts by number: index + 1. */
  readonly fits: readonly EdgeFit[];
  /** What the solve made of them; undefined when none touched the reference. */
  readonly result: RoundResult | undefined;
}

/** See the module head. */
export class Replay {
  readonly odd: OddCounts = { unknownEdge: 0, doubled: 0, backwards: 0, pairFell: 0, tooFar: 0 };
  readonly courses: readonly HostCourse[];
  /** How far the rows of each host prove that time has come, by its index. */
  readonly #witnesses: readonly Witness[];
  readonly #plan: TracePlan;
  readonly #method: Method;
  readonly #onRound: (round: ClosedRound) => void;
  readonly #fitter: Fitter | undefined;
  readonly #hosts = new Map<number, Host>();
  readonly #directed: DirectedEdge[] = [];
  readonly #byEnds = new Map<number, DirectedEdge>();
  readonly #edges: EdgeEnds[] = [];
  readonly #dealt = new Set<string>();
  #book = new FitBook();
  #court = new EdgeCourt();
  #bias = new EdgeBias();
  /** Close of the next round (ns since the reference's base); NaN: no row of the reference yet. */
  #nextNs = Number.NaN;
  /** Close of the newest published round (ns since the reference's base). */
  #publishedNs = Number.NEGATIVE_INFINITY;
  /** Hosts whose rows have passed the next round's estimates. */
  readonly #passed = new Set<number>();
  roundCount = 0;

  /** @param fitter fits the windows in place of `method`; for comparison. */
  constructor(
    plan: TracePlan,
    method: Method,
    onRound: (round: ClosedRound) => void,
    fitter?: Fitter,
  ) {
    this.#plan = plan;
    this.#method = method;
    this.#onRound = onRound;
    this.#fitter = fitter;
    this.courses = plan.hosts.map(({ id }, i) => new HostCourse(id, i + 1));
    this.#witnesses = plan.hosts.map(() => new Witness());
    for (const { host } of this.courses) this.#hosts.set(host.number, host);
    for (const [a, b] of plan.edges) {
      const [toOther, toOwner] = [this.#direct(a, b), this.#direct(b, a)];
      this.#edges.push({
        owner: this.courses[a],
        other: this.courses[b],
        toOther: toOther.probes,
        toOwner: toOwner.probes,
        tracker: new EdgeTracker(),
        spanNs: WINDOW_NS,
      });
      this.#dealt.add(pairKey(a + 1, b + 1));
    }
  }

  /** Sets the zero of a host's stamps (raw ns); once, before its first one. */
  setBase(host: number, baseRawNs: bigint): void {
    const course = this.courses[host];
    assert(course.baseRawNs === undefined, "a host's stamps have one zero");
    course.baseRawNs = rawNanos(baseRawNs);
    if (host === this.#plan.reference) this.#startRounds(0);
  }

  /** Takes one row. Stamps are ns since the bases of sender and receiver. */
  probe(from: number, to: number, pair: number, slot: number, txNs: number, rxNs: number): void {
    const odd = this.#take(from, to, 2 * pair + slot, txNs, rxNs);
    if (odd) {
      this.odd[odd]++;
      return;
    }
    const witness = this.#witnesses[from];
    witness.saw(to, pair, txNs, rxNs);
    if (witness.provedNs < this.courses[from].passNs) return;
    this.#passed.add(from);
    while (this.#isOver()) this.#close();
  }

  #take(from: number, to: number, number: number, txNs: number, rxNs: number): OddKind | undefined {
    const edge = this.#byEnds.get(from * this.courses.length + to);
    if (!edge) return "unknownEdge";
    if (!(Math.abs(txNs) < FAR_NS && Math.abs(rxNs) < FAR_NS)) return "tooFar";
    const { probes } = edge;
    if (probes.holds(number, txNs)) return "doubled";
    const sender = this.courses[from];
    if (!sender.follows(txNs)) {
      if (!sender.mustReturn) return "backwards";
      this.#return(from, txNs);
    }
    const odd = probes.check(number, txNs);
    if (odd) return odd;
    probes.push(number, txNs, rxNs);
    sender.sent(txNs);
    return undefined;
  }

  /** The rows of a host have gone back for good: one stamp was garbled, or its clock is new. */
  #return(host: number, txNs: number): void {
    const course = this.courses[host];
    const garbled = course.isNear(txNs);
    course.returnTo(txNs);
    this.#witnesses[host].forget();
    this.#passed.delete(host);
    for (const { from, to, probes } of this.#directed) {
      if (garbled && from === host) probes.rewind(txNs);
      if (!garbled && (from === host || to === host)) probes.clear();
    }
    for (const { owner, other, tracker } of garbled ? [] : this.#edges) {
      if (owner === course || other === course) tracker.reset();
    }
    if (garbled) return;
    const isReference = host === this.#plan.reference;
    for (const { host: each } of isReference ? this.courses : [course]) each.track = undefined;
    if (isReference) this.#startRounds(txNs);
    else this.#book.forget(course.host.number);
  }

  /** Rounds count from here on (ns since the reference's base). */
  #startRounds(fromNs: number): void {
    this.#book = new FitBook();
    this.#court = new EdgeCourt();
    this.#bias = new EdgeBias();
    const phaseNs = Number(this.#reference.baseRawNs! % BigInt(ROUND_NS));
    this.#nextNs = Math.ceil((fromNs + phaseNs) / ROUND_NS) * ROUND_NS - phaseNs;
    this.#expectNext();
  }

  get #reference(): HostCourse {
    return this.courses[this.#plan.reference];
  }

  #isOver(): boolean {
    return this.#passed.has(this.#plan.reference) || this.#passed.size >= 2;
  }

  #close(): void {
    const closeRefRawNs = addNs(this.#reference.baseRawNs!, this.#nextNs);
    this.#openWindows(closeRefRawNs);
    const fits: EdgeFit[] = [];
    const between = this.#method === "paper" && !this.#endsPaperWindow(closeRefRawNs);
    for (const edge of between ? [] : this.#edges) {
      const fit = fitWindow(edge, this.#method, this.#plan.timestamping, this.#fitter);
      if (fit) fits.push(fit);
    }
    const result = between ? undefined : this.#solve(fits);
    const estimates = this.#estimates(addNs(closeRefRawNs, LEAD_NS));
    if (this.#nextNs > this.#publishedNs) {
      this.#publishedNs = this.#nextNs;
      this.roundCount++;
      this.#onRound({ closeRefRawNs, estimates, fits, result });
    }
    this.#nextNs += ROUND_NS;
    const aheadNs = this.#witnesses[this.#plan.reference].provedNs - this.#nextNs;
    if (aheadNs > SILENCE_NS_MAX) this.#nextNs += Math.floor(aheadNs / ROUND_NS) * ROUND_NS;
    this.#expectNext();
  }

  /** The paper's windows follow one another, and its last line is carried on until the next. */
  #endsPaperWindow(closeRefRawNs: RawNanos): boolean {
    return (closeRefRawNs / BigInt(ROUND_NS)) % BigInt(PAPER_ROUNDS) === 0n;
  }

  /** Each host's window; where its clock is known less well, it ends the earlier. */
  #openWindows(closeRefRawNs: RawNanos): void {
    let ownMarginNs = 0;
    for (const course of this.courses) {
      // The instant of an estimate is on a clock that is known to its bound only, too.
      ownMarginNs = Math.max(ownMarginNs, course.cutAt(closeRefRawNs)?.marginNs ?? 0);
    }
    for (const course of this.courses) {
      const cut = course.cutAt(closeRefRawNs);
      course.openWindow(cut ? cut.ns - cut.marginNs - ownMarginNs : Number.NaN);
    }
    this.#reference.openWindow(this.#nextNs - ownMarginNs);
    reachUntracked(this.courses, this.#directed);
  }

  #solve(fits: readonly EdgeFit[]): RoundResult | undefined {
    const nowMs = this.#nextNs * 1e-6;
    for (const fit of fits) this.#book.take([fit], fit.owner, this.#dealt, nowMs);
    const fresh = this.#book.fresh(nowMs);
    const { host } = this.#reference;
    if (this.#method === "paper") return this.#solveWithoutMemory(fresh);
    return solveRound(host, this.#hosts, fresh, { court: this.#court, bias: this.#bias });
  }

  /** The paper's way: plain least squares, each round by itself, and its line is extrapolated. */
  #solveWithoutMemory(fresh: readonly MeshFit[]): RoundResult | undefined {
    const before = new Map<Host, Track | undefined>();
    for (const host of this.#hosts.values()) {
      before.set(host, host.track);
      host.track = undefined;
    }
    const result = solveRound(this.#reference.host, this.#hosts, fresh, { robust: false });
    for (const [host, track] of before) host.track ??= track;
    return result;
  }

  #estimates(atRefRawNs: RawNanos): Estimate[] {
    const out: Estimate[] = [];
    this.courses.forEach((course, host) => {
      const placed = host === this.#plan.reference ? undefined : course.placeAt(atRefRawNs);
      if (!placed || !Number.isFinite(placed.restNs + placed.sigmaNs + placed.boundNs)) return;
      const rate = 1 + placed.freqPpb * 1e-9;
      out.push({
        host,
        hostNs: placed.rawNs,
        referenceNs: atRefRawNs,
        earlierNs: placed.restNs / rate,
        freqPpb: (1 / rate - 1) * 1e9,
        sigmaNs: placed.sigmaNs,
        boundNs: placed.boundNs,
      });
    });
    return out;
  }

  /** Lays on each clock that can tell the instant from which the next round is over. */
  #expectNext(): void {
    this.#passed.clear();
    const overNs = this.#nextNs + LEAD_NS;
    const overRefRawNs = addNs(this.#reference.baseRawNs!, overNs);
    this.courses.forEach((course, i) => {
      const isReference = i === this.#plan.reference;
      course.passNs = isReference ? overNs : (course.cutAt(overRefRawNs)?.ns ?? Infinity);
      if (this.#witnesses[i].provedNs >= course.passNs) this.#passed.add(i);
    });
  }

  #direct(from: number, to: number): DirectedEdge {
    const edge = { from, to, probes: new ProbeBuffer() };
    this.#directed.push(edge);
    this.#byEnds.set(from * this.courses.length + to, edge);
    return edge;
  }
}
