/**
 * One simulated host: a crystal, a system clock that can be steered, and the stamps it would take.
 *
 * True time is a number of ns from the start of the world. The raw clock runs at a constant error
 * plus a slow sine (a room that warms and cools); the system clock runs against raw as it is told,
 * at once. Readings are bracketed like a real kernel's.
 */
import type { StampColumns, TimestamperBatch, TripleColumns } from "@ttcs/timestamper/types";
import { Prng } from "@ttcs/units";

/** Amplitude and period of the slow frequency swing. */
const SWING_PPB = 20;
const SWING_PERIOD_S = 300;
/** Width of a bracket of readings (ns). */
const BRACKET_NS = 150;
/** Kernel stamps are late by an exponential delay of this mean (ns). */
const STAMP_NOISE_NS = 50;

/** What the raw clock shows when a machine has booted (ns). */
const BOOT_RAW_NS = 10_000_000_000n;
/** Writes remembered: more than a batch can hold. */
const KNOTS_KEPT = 8;

/** The system clock from a write on: its rate against raw (ppb) and where it stood (Unix ns). */
interface Knot {
  readonly rawNs: bigint;
  readonly systemNs: bigint;
  readonly settingPpb: number;
  /** What another hand adds to the rate beside the setting. */
  readonly foreignPpb: number;
}

/** A stamp that waits for the next batch. */
interface Stamp {
  readonly peer: number;
  readonly probe: number;
  readonly systemNs: bigint;
}

/** See the module head. */
export class SimulatedHost {
  readonly id: string;
  readonly #prng: Prng;
  #rawZeroNs: bigint;
  readonly #freqPpb: number;
  readonly #phase: number;
  /** The writes so far, the newest last: an instant before a write is read as it was then. */
  readonly #knots: Knot[];
  #sent: Stamp[] = [];
  #received: Stamp[] = [];

  /** @param unixZeroNs true civil time at the start of the world (Unix ns) */
  constructor(
    id: string,
    seed: number,
    unixZeroNs: bigint,
    systemErrorNs: number,
    freqPpb: number,
  ) {
    this.id = id;
    this.#prng = new Prng(seed);
    this.#rawZeroNs = BigInt(Math.floor(this.#prng.between(1e12, 1e15)));
    this.#freqPpb = freqPpb;
    this.#phase = this.#prng.between(0, 2 * Math.PI);
    const systemNs = unixZeroNs + BigInt(Math.round(systemErrorNs));
    this.#knots = [{ rawNs: this.#rawZeroNs, systemNs, settingPpb: 0, foreignPpb: 0 }];
  }

  /** The raw clock at true time `atNs` (ns). */
  rawAt(atNs: number): bigint {
    const omega = (2 * Math.PI) / (SWING_PERIOD_S * 1e9);
    const swing = (x: number) => Math.cos(omega * x + this.#phase);
    const swingNs = (SWING_PPB * 1e-9 * (swing(0) - swing(atNs))) / omega;
    return this.#rawZeroNs + BigInt(Math.round(atNs + atNs * this.#freqPpb * 1e-9 + swingNs));
  }

  /** The system clock at true time `atNs` (Unix ns). */
  systemAt(atNs: number): bigint {
    const rawNs = this.rawAt(atNs);
    const knot = this.#knots.findLast((k) => k.rawNs <= rawNs) ?? this.#knots[0];
    const elapsed = rawNs - knot.rawNs;
    return (
      knot.systemNs +
      elapsed +
      BigInt(Math.round(Number(elapsed) * (knot.settingPpb + knot.foreignPpb) * 1e-9))
    );
  }

  /** Sets the rate of the system clock against raw; returns the raw instant. */
  adjust(atNs: number, settingPpb: number): bigint {
    return this.#write(atNs, { settingPpb });
  }

  /** Another hand adds `foreignPpb` to the rate from now on; the kernel's setting does not show it. */
  disturb(atNs: number, foreignPpb: number): void {
    this.#write(atNs, { foreignPpb });
  }

  /** Steps the system clock; returns the raw instant. */
  step(atNs: number, stepNs: number): bigint {
    return this.#write(atNs, {}, stepNs);
  }

  /** The machine boots: the raw clock has a new zero, the system clock goes on. */
  reboot(atNs: number): void {
    const systemNs = this.systemAt(atNs);
    const rawNs = this.rawAt(atNs);
    this.#rawZeroNs -= rawNs - BOOT_RAW_NS;
    this.#knots.length = 0;
    this.#knots.push({ rawNs: BOOT_RAW_NS, systemNs, settingPpb: 0, foreignPpb: 0 });
  }

  #write(atNs: number, change: { settingPpb?: number; foreignPpb?: number }, stepNs = 0): bigint {
    const rawNs = this.rawAt(atNs);
    const systemNs = this.systemAt(atNs) + BigInt(Math.round(stepNs));
    const { settingPpb, foreignPpb } = this.#knots[this.#knots.length - 1];
    this.#knots.push({ rawNs, systemNs, settingPpb, foreignPpb, ...change });
    if (this.#knots.length > KNOTS_KEPT) this.#knots.shift();
    return rawNs;
  }

  stampSent(atNs: number, peer: number, probe: number): void {
    this.#sent.push({ peer, probe, systemNs: this.systemAt(atNs) });
  }

  stampReceived(atNs: number, peer: number, probe: number): void {
    const lateNs = this.#prng.exponential(STAMP_NOISE_NS);
    this.#received.push({ peer, probe, systemNs: this.systemAt(atNs + lateNs) });
  }

  /** What the timestamper would hand over at `atNs` for the last `sinceNs`. */
  batch(atNs: number, sinceNs: number, synchronised: boolean): TimestamperBatch {
    const sent = columns(this.#sent);
    const received = columns(this.#received);
    const { length } = this.#sent;
    this.#sent = [];
    this.#received = [];
    return {
      sent,
      received,
      triples: this.#triples(atNs, sinceNs),
      rawNs: this.rawAt(atNs),
      status: {
        freqPpb: this.#settingPpb,
        maxErrorNs: 1e6,
        estErrorNs: 1e6,
        synchronised,
      },
      counters: {
        sent: length,
        sendErrors: 0,
        sentStamped: length,
        received: received.length,
        receivedUnstamped: 0,
        malformed: 0,
        unknownKeys: 0,
        replayed: 0,
        forged: 0,
        unknownSenders: 0,
        unkeyed: 0,
        injectedLoss: 0,
      },
    };
  }

  get #settingPpb(): number {
    return this.#knots[this.#knots.length - 1].settingPpb;
  }

  #triples(atNs: number, sinceNs: number): TripleColumns {
    const count = Math.max(1, Math.round(sinceNs / 10e6));
    const out = {
      length: count,
      rawBeforeNs: new BigInt64Array(count),
      systemNs: new BigInt64Array(count),
      rawAfterNs: new BigInt64Array(count),
    };
    for (let i = 0; i < count; i++) {
      const t = atNs - sinceNs + ((i + 1) * sinceNs) / count - 1_000;
      out.rawBeforeNs[i] = this.rawAt(t);
      out.systemNs[i] = this.systemAt(t + BRACKET_NS * this.#prng.uniform());
      out.rawAfterNs[i] = this.rawAt(t + BRACKET_NS);
    }
    return out;
  }
}

function columns(stamps: readonly Stamp[]): StampColumns {
  return {
    length: stamps.length,
    peer: Uint32Array.from(stamps, (s) => s.peer),
    probe: Float64Array.from(stamps, (s) => s.probe),
    systemNs: BigInt64Array.from(stamps, (s) => s.systemNs),
  };
}
