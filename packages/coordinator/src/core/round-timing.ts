/**
 * When a round is to be solved: who has reported for it, and who is still waited for.
 *
 * A round is solved as soon as every connected host that reports at all has, or a while after its first
 * report, later while others still come in. Reports that come right after a solve are late for it or early
 * for the next (`round-turn.ts`); hosts that hang keep nobody waiting (`mute-hosts.ts`). Between two rounds
 * there is a calm stretch, for whatever takes a while.
 */
import type { Host } from "./host.ts";
import { MuteHosts } from "./mute-hosts.ts";
import { RoundTurn } from "./round-turn.ts";

/** A round is solved this long after its first report, though some have said nothing (ms), */
const SOLVE_AFTER_MS = 100;
/** unless another came this short ago (ms): a busy server has not read all that are there; */
const STILL_COMING_MS = 10;
/** but no later than this (ms). */
const SOLVE_AT_LATEST_MS = 250;
/** Reports that come this soon after a solve are late for it, not early for the next (ms). */
const LATE_MS = 300;
/** For so long after a solve no report of the next round is near; without rounds none ever is (ms). */
const CALM_MS = 250;
const ROUNDS_STOPPED_MS = 1_000;

/** See the module head. Times are the server's monotonic ones (ms). */
export class RoundTiming {
  #firstReportMs = Number.NaN;
  #lastReportMs = Number.NaN;
  #solvedMs = -Infinity;
  readonly #reported = new Set<number>();
  readonly #turn = new RoundTurn();
  readonly #mute = new MuteHosts();

  /** The host has come to a domain that runs. */
  joined(host: Host): void {
    this.#mute.joined(host);
  }

  /** The host is gone: a report of his must not stand for one that is still to come. */
  left(host: Host): void {
    this.#reported.delete(host.number);
    this.#mute.spoke(host);
  }

  /** A report of the host, one of `connectedCount`. @returns true: it counts for the round to come */
  take(host: Host, connectedCount: number, nowMs: number): boolean {
    this.#mute.spoke(host);
    // A late report's fits wait for the next round: no round is solved twice.
    if (nowMs - this.#solvedMs < LATE_MS && this.#reported.size === 0) {
      const early = this.#turn.takeEarly(host.number, connectedCount);
      if (!early) return false;
      for (const number of early) this.#reported.add(number);
      this.#firstReportMs = nowMs;
    }
    if (this.#reported.size === 0) this.#firstReportMs = nowMs;
    // Whoever repeats himself keeps nobody waiting.
    if (!this.#reported.has(host.number)) this.#lastReportMs = nowMs;
    this.#reported.add(host.number);
    return true;
  }

  /** True when all have reported who are waited for. */
  haveAllSaid(connectedCount: number): boolean {
    const { size } = this.#reported;
    return size > 0 && size >= connectedCount - this.#mute.count;
  }

  /** True when those who have not reported yet are waited for no longer. */
  isOverdue(nowMs: number): boolean {
    const sinceMs = nowMs - this.#firstReportMs;
    const isReading = nowMs - this.#lastReportMs < STILL_COMING_MS;
    return sinceMs >= (isReading ? SOLVE_AT_LATEST_MS : SOLVE_AFTER_MS);
  }

  /** True while no report of a round has come that was not solved yet. */
  get isBetween(): boolean {
    return Number.isNaN(this.#firstReportMs);
  }

  /** True right after a round: what takes a while is done then, or the reports of the next one wait for it. */
  isCalm(nowMs: number): boolean {
    const sinceMs = nowMs - this.#solvedMs;
    return this.isBetween && (sinceMs < CALM_MS || sinceMs > ROUNDS_STOPPED_MS);
  }

  /** The round is solved now. */
  solved(connected: readonly Host[], nowMs: number): void {
    this.#firstReportMs = Number.NaN;
    this.#solvedMs = nowMs;
    this.#turn.solved(this.#reported);
    this.#reported.clear();
    this.#mute.look(connected, nowMs);
  }
}
