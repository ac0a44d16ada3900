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
import type { HeldLine } from "@ttcs/protocol";
import { diffNs, type RawNanos, rawNanos } from "@ttcs/units";
import type { Edge, EdgeLine } from "./edge.ts";

/** A fit is used for so many rounds; an end that only audits fits one round in ten. */
const OWNED_ROUNDS = 4n;
const AUDITED_ROUNDS = 12n;
/** What a neighbour has learnt counts after this long (s). */
const LEARNT_S = 60;
/** A raw clock that jumps by less is followed like any other error (ns). */
const RAW_JUMP_NS_MIN = 1_000_000;
/** A rate that changes by less is weather (ppb), and the sigmas within which it is no news. */
const TURN_PPB_MIN = 5_000;
const TURN_SIGMAS = 6;
/** A jump is remembered for so long (ns): the other edges must see it in this time. */
const REMEMBER_NS = 20_000_000_000;
/** Rate and jump of one event differ by no more from edge to edge. */
const SAME_SHARE = 0.2;
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
  readonly #marks = new Map<number, Mark>();
  #samples: AnchorSample[] = [];

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
  settle(): void {
    for (const mark of this.#marks.values()) {
      mark.jump = undefined;
      mark.turn = undefined;
    }
  }

  /** Looks at all edges after the fits of a round. */
  look(edges: Iterable<Edge>, round: bigint, nowRawNs: RawNanos): void {
    const fresh = [...edges].filter((edge) => isFresh(edge, round));
    const anchors = fresh.filter(({ neighbour }) => neighbour.anchor);
    const used = anchors.length > 0 ? anchors : fresh;
    const numbers = new Set(used.map(({ neighbour }) => neighbour.hostNumber));
    for (const number of this.#marks.keys()) if (!numbers.has(number)) this.#marks.delete(number);
    this.#samples = [];
    for (const edge of used) {
      const line = edge.line!;
      this.#follow(edge.neighbour.hostNumber, line, nowRawNs);
      if (edge.held) this.#samples.push(sampleOf(edge.neighbour.hostId, line, edge.held));
    }
  }

  #follow(number: number, line: EdgeLine, nowRawNs: RawNanos): void {
    const mark = this.#marks.get(number);
    if (!mark) {
      this.#marks.set(number, { line, jump: undefined, turn: undefined });
      return;
    }
    const before = mark.line;
    const ownNs = diffNs(line.ownRawNs, before.ownRawNs);
    const jumpNs = diffNs(line.peerRawNs, before.peerRawNs) - ownNs * (1 + before.ratePpb * 1e-9);
    const turnPpb = line.ratePpb - before.ratePpb;
    mark.line = line;
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
    return same.length >= EDGES_MIN && same.length > this.#marks.size / 2 ? middle : 0;
  }
}

function isFresh(edge: Edge, round: bigint): boolean {
  if (!edge.line || edge.lastFit?.distrust !== "") return false;
  return round - edge.fittedRound <= (edge.neighbour.owner ? OWNED_ROUNDS : AUDITED_ROUNDS);
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
    basePpb: hasBase ? held.baseFreqPpb + line.ratePpb : undefined,
  };
}
