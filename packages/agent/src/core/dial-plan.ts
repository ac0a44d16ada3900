/**
 * Which coordinator an agent calls next, and when.
 *
 * It knows several addresses: those of its configuration and those that coordinators have told it. The
 * last one that took it in comes first. One that does not answer is left for the next within a part of
 * a second, so that a round of all takes about one; after a round in vain the waits grow, and they are
 * drawn at random, so that a thousand agents that lost the same coordinator do not come back in the
 * same moment. A coordinator that names another is followed at once, but not in circles; while one
 * answers at all, somebody will lead soon, and waits stay short.
 *
 * Pure: time and chance come in with the calls.
 */

/** A round of all addresses takes about this long (ms), where none answers. */
const ROUND_MS = 1_000;
/** An answer is waited for as long as this at the most, and at the least (ms): the first time. */
const PATIENCE_MS_MAX = 500;
const PATIENCE_MS_MIN = 200;
/** After rounds in vain more patience: an answer may be slow rather than missing (ms). */
const PATIENCE_MS_GROWN = 5_000;
/**
 * Where there is one address only, trying anew early helps nobody: a fleet that lost its coordinator
 * waits in line at the door, and who hangs up comes last (ms). Connections have a deadline of their own.
 */
const PATIENCE_ALONE_MS = 15_000;
/** The wait before the next call is drawn from up to this (ms), twice as much after each round. */
const WAIT_MS = 100;
const WAIT_MS_MAX = 2_000;
/** Coordinators that do not know yet who leads will know in a moment (ms). */
const UNDECIDED_MS_MAX = 500;
/** More redirects than this in a row lead nowhere. */
const REDIRECTS_MAX = 3;
/** Addresses that coordinators told are kept up to this many. */
const LEARNT_MAX = 16;
/** A name of the DNS and a port. */
const ADDRESS_LENGTH_MAX = 260;

/** The next call. */
export interface Dial {
  readonly address: string;
  /** To wait before it, and then for the first word (ms). */
  readonly waitMs: number;
  readonly patienceMs: number;
}

/** See the module head. */
export class DialPlan {
  readonly #configured: readonly string[];
  #learnt: readonly string[] = [];
  /** The last address that took us in. */
  #good: string | undefined;
  /** Address that a coordinator has sent us to. */
  #sentTo: string | undefined;
  #isUndecided = false;
  #redirects = 0;
  /** Calls in vain since the last that was not. */
  #failures = 0;
  /** Those of them since a coordinator last answered at all. */
  #unanswered = 0;
  #last = "";

  /** @param configured "host:port" each, the first choice first; at least one */
  constructor(configured: readonly string[]) {
    this.#configured = configured;
  }

  /** All addresses, in the order in which they are tried. */
  get addresses(): string[] {
    const good = this.#good === undefined ? [] : [this.#good];
    return [...new Set([...good, ...this.#configured, ...this.#learnt])];
  }

  /** The next call; `uniform` is a random number from 0 to 1. */
  next(uniform: number): Dial {
    const all = this.addresses;
    const sentTo = this.#sentTo;
    this.#sentTo = undefined;
    const grownBy = (failures: number) => 2 ** Math.min(Math.floor(failures / all.length), 6);
    const grown = grownBy(this.#unanswered);
    const address = sentTo ?? all[(all.indexOf(this.#last) + 1) % all.length];
    const spanMs = this.#isUndecided
      ? Math.min(UNDECIDED_MS_MAX, WAIT_MS * grownBy(this.#failures))
      : Math.min(WAIT_MS_MAX, WAIT_MS * grown);
    const waitMs = sentTo !== undefined ? 0 : uniform * spanMs;
    this.#isUndecided = false;
    this.#last = address;
    return { address, waitMs, patienceMs: patienceMs(all.length, grown) };
  }

  /** The coordinator has taken us in, and told who else there is. */
  welcomed(addresses: readonly string[]): void {
    this.#good = this.#last;
    this.#failures = 0;
    this.#unanswered = 0;
    this.#redirects = 0;
    this.#learn(addresses);
  }

  /** The stream has ended, or there was no answer. */
  failed(): void {
    this.#failures++;
    this.#unanswered++;
    // From the top of the list: the one that took us in last may be back.
    if (this.#last === this.#good && this.#failures === 1) this.#good = undefined;
  }

  /** The coordinator has sent us on; empty: it does not know where to. */
  redirected(address: string, addresses: readonly string[]): void {
    this.#learn(addresses);
    this.#redirects++;
    this.#failures++;
    this.#unanswered = 0;
    if (isAddress(address) && this.#redirects <= REDIRECTS_MAX) this.#sentTo = address;
    else this.#isUndecided = true;
  }

  #learn(addresses: readonly string[]): void {
    const valid = addresses.filter(isAddress).slice(0, LEARNT_MAX);
    if (valid.length > 0) this.#learnt = valid;
  }
}

function patienceMs(count: number, grown: number): number {
  if (count === 1) return PATIENCE_ALONE_MS;
  const firstMs = Math.max(PATIENCE_MS_MIN, Math.min(PATIENCE_MS_MAX, ROUND_MS / count));
  return Math.min(PATIENCE_MS_GROWN, firstMs * grown);
}

/** "host:port", an IPv6 host in brackets. */
const isAddress = (text: string): boolean => {
  const port = Number(/^(?:\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return text.length <= ADDRESS_LENGTH_MAX && port >= 1 && port <= 65_535;
};
