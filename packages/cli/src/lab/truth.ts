/**
 * What the clocks of a laboratory host truly show, computed by code that shares nothing with them.
 *
 * Problem: a laboratory that judges by the code that it judges finds no error in that code. Approach:
 * docs/lab.md specifies the clocks as functions of seed and control log; this file computes them from
 * there, on its own and another way. Instants are whole numbers of 2^-32 ns throughout, so sums are
 * exact and nothing depends on how long the laboratory has run; the wander is a sum of products of two
 * sines instead of a difference of cosines; the daemon's swings are summed up turn by turn.
 *
 * Assumptions: the laboratory has run for less than 2^53 ns (104 days). It cannot see a write before
 * it is in the log: a value for "now" may be that of the frequency before.
 */
import type { LabOptions } from "@ttcs/timestamper";
import { assert, hashText, mix32, Prng, unitOf } from "@ttcs/units";
import { ControlSum } from "./truth-control.ts";
import { fixedNs, fixedPpb, NS, rateOver } from "./truth-fixed.ts";
import { TruthLog } from "./truth-log.ts";

/** The numbers of docs/lab.md, "Clocks". */
const START_RAW_SPREAD_NS = 1e15;
const FREQUENCY_SPREAD_PPB = 20_000;
const SINES = 11;
const SHORTEST_PERIOD_NS = 4e9;
const WANDER_PPB_PER_SQRT_S = 0.3;
const OFFSET_SPREAD_NS = 5_000_000;
const DAEMON_OFFSET_SPREAD_NS = 50_000;
const DAEMON_TURN_NS = 16_000_000_000n;
const DAEMON_SWING_NS = 1200;

/** True time (UTC) of the laboratory: the kernel's raw clock, set at the start (Unix ns). */
export const utcAt = (lab: LabOptions, kernelRawNs: bigint): bigint =>
  lab.startUnixNs + (kernelRawNs - lab.startKernelRawNs);

/** The true clocks of one laboratory host. */
export class HostTruth {
  readonly #startKernelRawNs: bigint;
  readonly #startRawNs: bigint;
  readonly #freqPpb: bigint;
  readonly #sines: readonly { periodNs: number; amplitudeNs: number; phaseTurns: number }[];
  readonly #startSystemNs: bigint;
  readonly #daemon: Daemon | undefined;
  readonly #control: ControlSum;
  readonly #log: TruthLog;

  /** Opens the truth about a host; its log need not exist yet. */
  constructor(lab: LabOptions) {
    const crystal = streamOf(lab, "oscillator");
    this.#startKernelRawNs = lab.startKernelRawNs;
    this.#startRawNs = BigInt(Math.floor(START_RAW_SPREAD_NS * crystal.uniform()));
    this.#freqPpb = fixedPpb(crystal.between(-FREQUENCY_SPREAD_PPB, FREQUENCY_SPREAD_PPB));
    this.#sines = Array.from({ length: SINES }, (_, i) => {
      const periodNs = SHORTEST_PERIOD_NS * 2 ** i;
      const amplitudePpb = WANDER_PPB_PER_SQRT_S * Math.sqrt(periodNs / 1e9);
      const amplitudeNs = (amplitudePpb * periodNs) / 1e9 / Math.PI;
      return { periodNs, amplitudeNs, phaseTurns: crystal.uniform() };
    });
    const spreadNs = lab.timeDaemon ? DAEMON_OFFSET_SPREAD_NS : OFFSET_SPREAD_NS;
    const offsetNs = streamOf(lab, "start").between(-spreadNs, spreadNs);
    const halfSlewNs = lab.timeDaemon && lab.slew ? lab.slew.slewNs / 2 : 0;
    this.#startSystemNs = lab.startUnixNs + BigInt(Math.round(offsetNs - halfSlewNs));
    this.#daemon = lab.timeDaemon ? new Daemon(lab, this.#freqPpb) : undefined;
    this.#control = new ControlSum(this.#startRawNs);
    this.#log = new TruthLog(lab.stateDir, lab.index);
    this.refresh();
  }

  /** Takes note of what was written to the clock since the last call. */
  refresh(): void {
    for (const write of this.#log.readOn()) this.#control.add(write);
  }

  /** Ends following the log. */
  close(): void {
    this.#log.close();
  }

  /** The host's raw clock (ns, rounded down) at a reading of the kernel's raw clock (ns). */
  rawAt(kernelRawNs: bigint): bigint {
    // A shift rounds down, also what is negative.
    return this.#startRawNs + (this.#rawSince(kernelRawNs) >> 32n);
  }

  /** The host's system clock (Unix ns, rounded down) at a reading of the kernel's raw clock (ns). */
  systemAt(kernelRawNs: bigint): bigint {
    const raw = this.#rawSince(kernelRawNs);
    assert(raw >= 0n, "a system clock begins with the laboratory");
    const moved = (this.#daemon?.movedAt(raw) ?? 0n) + this.#control.at(raw);
    return this.#startSystemNs + ((raw + moved) >> 32n);
  }

  /** The kernel's raw clock (ns, to 1 ns) when the host's raw clock shows `rawNs`. */
  kernelAt(rawNs: bigint): bigint {
    let kernelRawNs = this.#startKernelRawNs + (rawNs - this.#startRawNs);
    // Each round leaves 20 ppm of the error: four make 1 ns of ten minutes, six of a hundred days.
    for (let i = 0; i < 6; i++) kernelRawNs += rawNs - this.rawAt(kernelRawNs);
    return kernelRawNs;
  }

  /** Raw time since the start (2^-32 ns). */
  #rawSince(kernelRawNs: bigint): bigint {
    const since = kernelRawNs - this.#startKernelRawNs;
    return (
      since * NS + rateOver(this.#freqPpb, since * NS) + fixedNs(this.#wanderNs(Number(since)))
    );
  }

  /** cos b - cos(2 pi t + b) = 2 sin(pi t) sin(pi t + b), with t in turns. */
  #wanderNs(sinceNs: number): number {
    let sumNs = 0;
    for (const { periodNs, amplitudeNs, phaseTurns } of this.#sines) {
      // The remainder of whole numbers is exact.
      const half = (Math.PI * (sinceNs % periodNs)) / periodNs;
      sumNs += amplitudeNs * Math.sin(half) * Math.sin(half + 2 * Math.PI * phaseTurns);
    }
    return sumNs;
  }
}

/** The simulated time daemon of a reference. */
class Daemon {
  readonly #seed: number;
  readonly #freqPpb: bigint;
  readonly #slew: { from: bigint; ratePpb: bigint; limit: bigint; sign: bigint } | undefined;
  /** Sum of the swings of all turns before each turn (2^-32 ns). */
  readonly #before: bigint[] = [0n];

  constructor(lab: LabOptions, freqPpb: bigint) {
    this.#seed = mix32(mix32(lab.seed, hashText("daemon")), lab.index);
    this.#freqPpb = freqPpb;
    if (!lab.slew) return;
    const { slewNs, atS, ratePpb } = lab.slew;
    this.#slew = {
      from: fixedNs(atS * 1e9),
      ratePpb: fixedPpb(ratePpb),
      limit: fixedNs(Math.abs(slewNs)),
      sign: slewNs < 0 ? -1n : 1n,
    };
  }

  /** What the daemon has added to the clock at raw time `raw` since the start (2^-32 ns both). */
  movedAt(raw: bigint): bigint {
    const one = fixedPpb(1e9);
    const steady = (-raw * this.#freqPpb) / (one + this.#freqPpb);
    const turn = Number(raw / NS / DAEMON_TURN_NS);
    while (this.#before.length <= turn) {
      const k = this.#before.length - 1;
      this.#before.push(this.#before[k] + this.#swing(k));
    }
    const turnLength = DAEMON_TURN_NS * NS;
    const partial = (this.#swing(turn) * (raw % turnLength)) / turnLength;
    return steady + this.#before[turn] + partial + this.#slewed(raw);
  }

  /** How far the clock swings within turn `turn` (2^-32 ns). */
  #swing(turn: number): bigint {
    const aimNs = (k: number) => DAEMON_SWING_NS * (2 * unitOf(mix32(this.#seed, k)) - 1);
    return fixedNs(aimNs(turn + 1)) - fixedNs(aimNs(turn));
  }

  #slewed(raw: bigint): bigint {
    const slew = this.#slew;
    if (!slew || raw <= slew.from) return 0n;
    const moved = rateOver(slew.ratePpb, raw - slew.from);
    if (moved >= slew.limit) return slew.sign * slew.limit;
    return slew.sign * moved;
  }
}

const streamOf = (lab: LabOptions, purpose: string): Prng =>
  new Prng(mix32(mix32(lab.seed, hashText(purpose)), lab.index));
