/**
 * What the edges to anchors say of this host, by themselves.
 *
 * Two things that no coordinator can bend: where the neighbours' domain time lies on this host's raw
 * clock (`@ttcs/discipline`, anchor-check.ts, compares it with a line), and whether this host's raw
 * clock has jumped or changed its rate against all of them at once, as it does when a virtual machine
 * is moved. One neighbour that jumps is that neighbour's affair.
 *
 * Where nobody is named an anchor, all neighbours count.
 */
import { type AnchorSample, median } from "@ttcs/discipline";
import type { EdgeFit, HeldLine } from "@ttcs/protocol";
import { diffNs, type RawNanos, rawNanos } from "@ttcs/units";
import type { Edge, EdgeLine } from "./edge.ts";

/** A fit is used for so many rounds; an end that only audits fits one round in ten. */
const OWNED_ROUNDS = 4n;
const AUDITED_ROUNDS = 12n;
/** With so many edges of its own a host does without those that it only audits: they are older. */
const OWNED_ENOUGH = 3;
/** What a neighbour has learnt counts after this long (s). */
const LEARNT_S = 5;
/** A raw clock that jumps by less is followed like any other error (ns). */
const RAW_JUMP_NS_MIN = 1_000_000;
/** A rate that changes by less is weather (ppb), and the sigmas within which it is no news. */
const TURN_PPB_MIN = 5_000;
const TURN_SIGMAS = 6;
/** A jump is remembered for so long (ns): the other edges must see it in this time. */
const REMEMBER_NS = 20_000_000_000;
/** Rate and jump of one event differ by no more from edge to edge. */
const SAME_SHARE = 0.2;
/** A change of rate is known to all edges this long after it began, at the latest (s). */
const SEEN_LATE_S = 8;
/** Edges lose a clock's course for so many rounds before it is said aloud. */
const OFF_COURSE_ROUNDS = 2;
/** An edge counts that was trusted within this (ns), and has lost fewer probes than this share. */
const TRUSTED_LATELY_NS = 3_000_000_000;
const LOSS_MAX = 0.5;
/** A jump of one host is seen on this many edges at least. */
const EDGES_MIN = 2;

/** What one edge has shown. */
interface Mark {
  line: EdgeLine;
  jump: { readonly ns: number; readonly rawNs: RawNanos } | undefined;
  turn: { readonly ppb: number; readonly rawNs: RawNanos } | undefined;
}

/** See the module head. */
export class AnchorWatch {
  /** By id: a coordinator that remembers nothing deals other numbers to the same hosts. */
  readonly #marks = new Map<string, Mark>();
  #samples: AnchorSample[] = [];
  #used = 0;
  #settledRawNs: RawNanos = rawNanos(0n);
  /** Rounds in a row in which most edges have lost this clock's course. */
  #offCourseRounds = 0;

  /** The neighbours' voices, as of the last round. */
  get samples(): readonly AnchorSample[] {
    return this.#samples;
  }

  /** What most edges can tell apart (ns); NaN without any. */
  get intervalNs(): number {
    return median(this.#samples.map(({ intervalNs }) => intervalNs));
  }

  /** How far this host's raw clock has fallen behind all anchors' (ns); 0: it has not. */
  get rawJumpNs(): number {
    return this.#common((mark) => mark.jump?.ns);
  }

  /** How much slower than before it runs against all anchors (ppb); 0: as before. */
  get turnPpb(): number {
    return this.#common((mark) => mark.turn?.ppb);
  }

  /** What was seen has been acted upon. */
  settle(nowRawNs: RawNanos): void {
    this.#settledRawNs = nowRawNs;
    for (const mark of this.#marks.values()) {
      mark.jump = undefined;
      mark.turn = undefined;
    }
  }

  /** True when most edges, trusted a moment ago, find that probes do not fit this clock any more. */
  get offCourse(): boolean {
    return this.#offCourseRounds >= OFF_COURSE_ROUNDS;
  }

  /** What the edges themselves allow a line to do beyond all limits (ns): their word is physics. */
  get slackNs(): number {
    return Math.abs(this.turnPpb) * SEEN_LATE_S;
  }

  /** Looks at all edges after the fits of a round. */
  look(edges: Iterable<Edge>, round: bigint, nowRawNs: RawNanos): void {
    const all = [...edges];
    this.#judgeCourse(all, round, nowRawNs);
    const fresh = all.filter((edge) => isFresh(edge, round));
    const anchors = fresh.filter(({ neighbour }) => neighbour.anchor);
    const voices = anchors.length > 0 ? anchors : fresh;
    const owned = voices.filter(({ neighbour }) => neighbour.owner);
    const used = owned.length >= OWNED_ENOUGH ? owned : voices;
    const ids = new Set(all.map(({ neighbour }) => neighbour.hostId));
    for (const id of this.#marks.keys()) if (!ids.has(id)) this.#marks.delete(id);
    this.#used = used.length;
    this.#samples = [];
    for (const edge of used) {
      const line = edge.line!;
      this.#follow(edge.neighbour.hostId, line, nowRawNs);
      if (edge.held) this.#samples.push(sampleOf(edge.neighbour.hostId, line, edge.held));
    }
  }

  #judgeCourse(edges: readonly Edge[], round: bigint, nowRawNs: RawNanos): void {
    const judged = edges.filter(
      ({ line, fittedRound }) =>
        line && fittedRound === round && diffNs(nowRawNs, line.ownRawNs) < TRUSTED_LATELY_NS,
    );
    const lost = judged.filter(({ lastFit }) => lastFit && isOffCourse(lastFit)).length;
    const most = lost >= EDGES_MIN && lost > judged.length / 2;
    this.#offCourseRounds = most ? this.#offCourseRounds + 1 : 0;
  }

  #follow(id: string, line: EdgeLine, nowRawNs: RawNanos): void {
    const mark = this.#marks.get(id);
    if (!mark) {
      this.#marks.set(id, { line, jump: undefined, turn: undefined });
      return;
    }
    const before = mark.line;
    const ownNs = diffNs(line.ownRawNs, before.ownRawNs);
    const jumpNs = diffNs(line.peerRawNs, before.peerRawNs) - ownNs * (1 + before.ratePpb * 1e-9);
    const turnPpb = line.ratePpb - before.ratePpb;
    mark.line = line;
    // An edge that is fitted seldom sees late what has been acted upon.
    if (before.ownRawNs < this.#settledRawNs) return;
    if (Math.abs(jumpNs) > RAW_JUMP_NS_MIN) mark.jump = { ns: jumpNs, rawNs: nowRawNs };
    const newsPpb = TURN_SIGMAS * Math.hypot(line.rateSigmaPpb, before.rateSigmaPpb);
    if (Math.abs(turnPpb) > Math.max(TURN_PPB_MIN, newsPpb)) {
      mark.turn = { ppb: turnPpb, rawNs: nowRawNs };
    }
    if (mark.jump && nowRawNs - mark.jump.rawNs > REMEMBER_NS) mark.jump = undefined;
    if (mark.turn && nowRawNs - mark.turn.rawNs > REMEMBER_NS) mark.turn = undefined;
  }

  /** The value that more than half of all edges share; 0: there is none. */
  #common(shown: (mark: Mark) => number | undefined): number {
    const values = [...this.#marks.values()].flatMap((mark) => shown(mark) ?? []);
    if (values.length < EDGES_MIN) return 0;
    const middle = median(values);
    const same = values.filter((v) => Math.abs(v - middle) <= SAME_SHARE * Math.abs(middle));
    return same.length >= EDGES_MIN && same.length > this.#used / 2 ? middle : 0;
  }
}

function isFresh(edge: Edge, round: bigint): boolean {
  if (!edge.line || edge.lastFit?.distrust !== "") return false;
  return round - edge.fittedRound <= (edge.neighbour.owner ? OWNED_ROUNDS : AUDITED_ROUNDS);
}

/** Probes came, and did not fit: the clocks, not the network, are the reason. */
function isOffCourse({ distrust, lossForward, lossReverse }: EdgeFit): boolean {
  if (distrust === "" || !(Math.max(lossForward, lossReverse) < LOSS_MAX)) return false;
  return !distrust.startsWith("only ");
}

function sampleOf(hostId: string, line: EdgeLine, held: HeldLine): AnchorSample {
  const sinceNs = diffNs(line.peerRawNs, rawNanos(held.rawNs));
  const extraNs = held.domainFractionNs + sinceNs * held.freqPpb * 1e-9;
  const wholeNs = Number.isFinite(extraNs) ? Math.floor(extraNs) : 0;
  const hasBase = held.learntS >= LEARNT_S && Number.isFinite(held.baseFreqPpb);
  return {
    hostId,
    rawNs: line.ownRawNs,
    domainUnixNs: held.domainUnixNs + (line.peerRawNs - held.rawNs) + BigInt(wholeNs),
    fractionNs: extraNs - wholeNs,
    ratePpb: held.freqPpb + line.ratePpb,
    rateSigmaPpb: line.rateSigmaPpb,
    intervalNs: line.intervalNs,
    boundNs: held.boundNs,
    vouched: held.vouched,
    basePpb: hasBase ? held.baseFreqPpb + line.ratePpb : undefined,
  };
}
