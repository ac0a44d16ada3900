/**
 * The probes of a whole laboratory, summed up over its hosts.
 *
 * An agent that was started again counts from 0: what its process before had counted when it was last
 * seen is kept. What that process did after that look is lost, and so are the probes that its
 * neighbours sent meanwhile: then the balance is not what it should be, though no probe went astray.
 */

/** Sums over all hosts; see `ProbeCounters` of the timestamper. */
export interface ProbeTotals {
  readonly sent: number;
  readonly sent_stamped: number;
  readonly received: number;
  readonly injected_loss: number;
  /** No probes, or those that the gate did not let in: strangers', without a key, repeated, forged. */
  readonly refused: number;
  /** sent - received - injected_loss - refused: 0 when every probe has come to rest. */
  readonly balance: number;
}

const REFUSALS = [
  "malformed",
  "foreignSource",
  "unknownSenders",
  "unknownKeys",
  "replayed",
  "forged",
] as const;
const NAMES = ["sent", "sentStamped", "received", "injectedLoss", ...REFUSALS] as const;
type Counts = Record<(typeof NAMES)[number], number>;

const counts = (of: (name: (typeof NAMES)[number]) => number): Counts =>
  Object.fromEntries(NAMES.map((name) => [name, of(name)])) as Counts;

/** See the module head. */
export class ProbeSums {
  readonly #last = new Map<string, Counts>();
  readonly #ended = counts(() => 0);

  /** Notes what a host counts. */
  note(host: string, counters: Readonly<Record<string, number>>): void {
    const now = counts((name) => counters[name] ?? 0);
    const last = this.#last.get(host);
    // Counts only rise, so less than before means another process.
    if (last && NAMES.some((name) => now[name] < last[name])) {
      for (const name of NAMES) this.#ended[name] += last[name];
    }
    this.#last.set(host, now);
  }

  get totals(): ProbeTotals {
    const sum = { ...this.#ended };
    for (const last of this.#last.values()) for (const name of NAMES) sum[name] += last[name];
    const { sent, sentStamped, received, injectedLoss } = sum;
    const refused = REFUSALS.reduce((all, name) => all + sum[name], 0);
    return {
      sent,
      sent_stamped: sentStamped,
      received,
      injected_loss: injectedLoss,
      refused,
      balance: sent - received - injectedLoss - refused,
    };
  }
}
