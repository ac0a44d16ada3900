/**
 * When to save what must outlive the process, and what was found of an earlier life.
 *
 * Once a minute, and when the state of the clock changes; then not more often than every 5 s, but for a
 * panic, which is saved at once: it must not be lost to a kill.
 */
import { diffNs, type RawNanos, SECOND_NS } from "@ttcs/units";
import type { Keeper } from "./keeper.ts";
import { isYoung, type Place } from "./place.ts";
import { formatState, parseState } from "./saved-state.ts";

/** Without a reason, state is saved this often (ns); with one, this often at most. */
const SAVE_EVERY_NS = 60 * SECOND_NS;
const SAVE_AGAIN_NS = 5 * SECOND_NS;

/** A line for the log. */
interface Told {
  readonly level: "info" | "warn";
  readonly text: string;
}

/** See the module head. */
export class Saver {
  readonly #keeper: Keeper;
  #bootId: string | undefined;
  #savedRawNs: RawNanos | undefined;
  #savedState = "";
  #savedPanic: string | undefined;
  /** Where this host stands in the mesh: as an earlier life has left it, or as it was dealt since. */
  place: Place | undefined;
  /** Why saving failed last; undefined: it did not. */
  fault: string | undefined;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  /** Takes over what an earlier life has left; returns what to say of it. */
  start(saved: string | undefined, bootId: string, nowRawNs: RawNanos): Told | undefined {
    this.#bootId = bootId;
    if (saved === undefined) return undefined;
    const read = parseState(saved);
    if (!read.ok) {
      return { level: "warn", text: `the saved state is not believed: ${read.reason}` };
    }
    this.#savedPanic = read.state.panic;
    this.#keeper.resume(read.state, bootId, nowRawNs);
    const { state } = read;
    if (state.bootId === bootId && isYoung(state.rawNs, nowRawNs)) this.place = state.place;
    if (read.state.panic) return { level: "warn", text: read.state.panic };
    const what = this.#keeper.line ? "line and learnt rate" : "the learnt rate";
    return { level: "info", text: `goes on with ${what} of an earlier life` };
  }

  /** How saving went; returns what to say of it. */
  saved(fault: string | undefined): Told | undefined {
    const before = this.fault;
    this.fault = fault;
    if (fault === before) return undefined;
    if (fault) return { level: "warn", text: `storage failing: ${fault}` };
    return { level: "info", text: "state can be kept again" };
  }

  /**
   * The text to save now; undefined: not now.
   *
   * @param offsetNs tells system minus domain (ns)
   */
  look(
    state: string,
    nowRawNs: RawNanos,
    now: boolean,
    offsetNs: () => number | undefined,
  ): string | undefined {
    const { obedience } = this.#keeper;
    const bootId = this.#bootId;
    // Nothing learnt is nothing to keep, and would put out what an earlier life knew.
    if (bootId === undefined || !(obedience.ledger || obedience.panic)) return undefined;
    if (!now && !this.#isDue(state, obedience.panic, nowRawNs)) return undefined;
    this.#savedRawNs = nowRawNs;
    this.#savedState = state;
    this.#savedPanic = obedience.panic;
    const { ledger, panic, term, round, lockedBefore, kept } = obedience;
    return formatState({
      bootId,
      rawNs: nowRawNs,
      ledger,
      panic,
      term,
      round,
      lockedBefore,
      offsetNs: offsetNs() ?? 0,
      correction: lockedBefore ? kept : undefined,
      ...(this.place ? { place: this.place } : {}),
    });
  }

  #isDue(state: string, panic: string | undefined, nowRawNs: RawNanos): boolean {
    if (panic !== this.#savedPanic) return true;
    if (this.#savedRawNs === undefined) return true;
    const sinceNs = diffNs(nowRawNs, this.#savedRawNs);
    return sinceNs >= (state === this.#savedState ? SAVE_EVERY_NS : SAVE_AGAIN_NS);
  }
}
