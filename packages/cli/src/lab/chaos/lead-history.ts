/**
 * Domain time in truth while the lead passes from host to host.
 *
 * Domain time is the line of the host that leads, on its true raw clock. Who leads is seen only when
 * it is asked, four times a second; between the last answer in which it did not lead yet and the first
 * in which it does, both its line and the one before may be the one that an agent goes by. In between
 * the nearer of the two counts: they are some ten nanoseconds apart, which is more than the bound that
 * a reference states about its own line.
 */
import { domainTruth, type Observer, type Sight } from "../observer.ts";

/** A line of domain time as a leading host told it. */
interface Lead {
  readonly by: Observer;
  readonly line: Sight["status"]["line"];
  readonly term: number;
  readonly round: number;
  /** When it was seen, and when the same host had last been asked before (s). */
  readonly seenS: number;
  readonly unsureS: number;
}

/** See the module head. */
export class LeadHistory {
  readonly #leads: Lead[] = [];

  /** Id of the host that leads now, as far as was seen. */
  get reference(): string | undefined {
    return this.#leads.at(-1)?.by.host.id;
  }

  /** Takes note of a host that says that it leads; of two the one with the newer correction does. */
  note(lead: Lead): void {
    const last = this.#leads.at(-1);
    const isOlder =
      last && (lead.term < last.term || (lead.term === last.term && lead.round < last.round));
    if (!isOlder && lead.line.length > 0) this.#leads.push(lead);
  }

  /** A clock minus domain time (ns) at instant `atS`; null before there is domain time. */
  errorNs(systemNs: bigint, kernelRawNs: bigint, atS: number): number | null {
    const next = this.#indexAfter(atS);
    const candidates = [this.#leads[Math.max(0, next - 1)], this.#leads[next]].filter(
      (lead, i) => lead && (i === 0 || lead.unsureS <= atS),
    );
    const errors = candidates.flatMap(({ by, line }) => {
      const domain = domainTruth(by, line, kernelRawNs);
      return domain === undefined ? [] : [Number(systemNs - domain)];
    });
    if (errors.length === 0) return null;
    return errors.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a));
  }

  /** Index of the first lead that was seen after `atS`. */
  #indexAfter(atS: number): number {
    let low = 0;
    let high = this.#leads.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#leads[middle].seenS > atS) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
