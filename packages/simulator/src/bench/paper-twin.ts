/**
 * The paper's method on the very probes of a simulated world.
 *
 * It listens to what agents send each other, the stamps of every edge on the raw clocks of both ends,
 * and every 2 s does with them what the paper does: a soft-margin line through each edge's window, and
 * plain least squares over one flat mesh of all edges, near and far alike, each window by itself (Geng
 * et al., NSDI 2018). Its last line is carried on until the next one is there, and judged at the close
 * of every round and 0.1 s, as the recordings' comparison does (`replay.ts`).
 */

import { create } from "@bufbuild/protobuf";
import { type Host, newHost, solveRound, type Track } from "@ttcs/coordinator/core";
import { fitEdge, type ProbeColumns } from "@ttcs/estimator";
import {
  type EdgeFit,
  EdgeFitSchema,
  type ExchangeFlush,
  HelloSchema,
  type StampColumn,
  unpackStamps,
} from "@ttcs/protocol";
import { diffNs, ROUND_NS, rawNanos, WINDOW_NS } from "@ttcs/units";
import type { SimHost } from "../sim/sim-host.ts";
import type { Simulation } from "../sim/simulation.ts";

/** The paper's windows follow one another. */
const ROUNDS = BigInt(WINDOW_NS / ROUND_NS);
/** Probes of both directions that a line needs. */
const PROBES_MIN = 10;
const CAPACITY = 8192;
/** Flushes leave some 20 ms after the close; from there to the instant that is judged (ns). */
const JUDGED_AFTER_NS = 80e6;

const probes = new Float64Array(CAPACITY);
const stamps = new Float64Array(CAPACITY);

/** One end's stamps by probe number, since its host's zero (ns). */
interface Side {
  readonly sent: Map<number, number>;
  readonly received: Map<number, number>;
}

/** Errors of one solve: by host, raw clock found minus raw clock in truth (ns). */
export type PaperErrors = (errorNs: number, host: SimHost, atNs: number) => void;

/** See the module head. */
export class PaperTwin {
  readonly #world: Simulation;
  readonly #onError: PaperErrors;
  readonly #sides = new Map<string, Side>();
  #window = 0n;
  #round = 0n;
  /** Tracks of the last solve against the reference's raw clock. */
  #tracks: readonly { readonly host: SimHost; readonly track: Track }[] = [];

  constructor(world: Simulation, onError: PaperErrors) {
    this.#world = world;
    this.#onError = onError;
    world.onFlush = (flush) => this.#take(flush);
  }

  #take(flush: ExchangeFlush): void {
    const round = flush.header?.round ?? 0n;
    if (round > this.#round) {
      this.#round = round;
      this.#judge();
    }
    const window = round / ROUNDS;
    if (window > this.#window) {
      if (this.#window > 0n) this.#solve();
      this.#window = window;
      this.#sides.clear();
    }
    const from = this.#hostOf(flush.fromHost);
    if (!from) return;
    const key = `${flush.fromHost} ${flush.toHost}`;
    const side = this.#sides.get(key) ?? { sent: new Map(), received: new Map() };
    this.#sides.set(key, side);
    const zeroNs = Number(flush.baseRawNs - from.clock.rawZeroNs);
    add(flush.sent, zeroNs, side.sent);
    add(flush.received, zeroNs, side.received);
  }

  #hostOf(number: number): SimHost | undefined {
    return this.#world.hosts.find((h) => h.number === number);
  }

  #solve(): void {
    const fits: EdgeFit[] = [];
    for (const [key, ours] of this.#sides) {
      const [owner, other] = key.split(" ").map(Number);
      const theirs = owner < other && this.#sides.get(`${other} ${owner}`);
      const fit = theirs && this.#fit(owner, other, ours, theirs);
      if (fit) fits.push(fit);
    }
    const hosts = new Map<number, Host>();
    for (const { number, id } of this.#world.hosts) {
      hosts.set(number, newHost(number, create(HelloSchema, { hostId: id }), number));
    }
    const reference = this.#world.hosts[0];
    if (!solveRound(hosts.get(reference.number)!, hosts, fits, { robust: false })) return;
    const tracks = this.#world.hosts.map((host) => ({
      host,
      track: hosts.get(host.number)?.track,
    }));
    // A host that no window has reached keeps its line.
    this.#tracks = tracks.flatMap(({ host, track }) => {
      const kept = track ?? this.#tracks.find((t) => t.host === host)?.track;
      return kept && host !== reference ? [{ host, track: kept }] : [];
    });
  }

  #judge(): void {
    const atNs = this.#world.nowNs + JUDGED_AFTER_NS;
    const reference = this.#world.hosts[0];
    for (const { host, track } of this.#tracks) {
      const sinceNs =
        reference.clock.rawNsAt(atNs) - Number(track.referenceZeroNs - reference.clock.rawZeroNs);
      const zeroNs = diffNs(track.hostZeroNs, rawNanos(host.clock.rawZeroNs));
      const foundNs = zeroNs + sinceNs + track.filter.predict(sinceNs * 1e-9).offsetNs;
      this.#onError(foundNs - host.clock.rawNsAt(atNs), host, atNs);
    }
  }

  #fit(owner: number, other: number, ours: Side, theirs: Side): EdgeFit | undefined {
    const [a, b] = [this.#hostOf(owner), this.#hostOf(other)];
    const firstA = least(ours);
    const firstB = least(theirs);
    const forward = join(ours.sent, theirs.received, firstA, firstB);
    const reverse = join(theirs.sent, ours.received, firstB, firstA);
    if (!a || !b || Math.min(forward.length, reverse.length) < PROBES_MIN) return undefined;
    const carry = { sigmaNs: 0, boundNs: 1 };
    const result = fitEdge(
      {
        forward,
        reverse,
        ownerCarry: carry,
        otherCarry: carry,
        sentForwardCount: ours.sent.size,
        sentReverseCount: theirs.sent.size,
      },
      "paper",
    );
    if (!result.trusted) return undefined;
    const { trusted: _, ...fields } = result;
    return create(EdgeFitSchema, {
      owner,
      other,
      ...fields,
      ownerBaseRawNs: a.clock.rawZeroNs + BigInt(firstA),
      otherBaseRawNs: b.clock.rawZeroNs + BigInt(firstB),
    });
  }
}

function add(column: StampColumn | undefined, zeroNs: number, to: Map<number, number>): void {
  const count = unpackStamps(column, probes, stamps);
  for (let i = 0; i < count; i++) to.set(probes[i], zeroNs + stamps[i]);
}

/** A whole number of ns before all stamps of an end. */
function least({ sent, received }: Side): number {
  let first = Number.POSITIVE_INFINITY;
  for (const ns of sent.values()) first = Math.min(first, ns);
  for (const ns of received.values()) first = Math.min(first, ns);
  return Math.floor(first);
}

function join(
  sent: ReadonlyMap<number, number>,
  received: ReadonlyMap<number, number>,
  sentZeroNs: number,
  receivedZeroNs: number,
): ProbeColumns {
  const both = [...sent.keys()].filter((p) => received.has(p)).sort((x, y) => x - y);
  return {
    length: both.length,
    probe: Float64Array.from(both),
    txNs: Float64Array.from(both, (p) => sent.get(p)! - sentZeroNs),
    rxNs: Float64Array.from(both, (p) => received.get(p)! - receivedZeroNs),
  };
}
