/**
 * Tells when a round closes on this host's raw clock.
 *
 * Round n closes when domain time shows n times 0.5 s. Before the first correction the server's
 * clock at the welcome stands in for domain time: good to the milliseconds of the connection,
 * which is enough to agree on windows of two seconds.
 */
import { DomainLine } from "@ttcs/discipline";
import { addNs, type RawNanos, ROUND_NS, type UnixNanos, unixNanos } from "@ttcs/units";
import type { RoundClose } from "./exchange.ts";

/** A round is flushed this long after its close, when its last stamps have been read out (ns). */
export const FLUSH_DELAY_NS = 20_000_000;
/** A better line may move the boundary back a little: such a round is not closed twice. */
const BACKWARD_ROUNDS = 4n;

/** See the module head. */
export class RoundClock {
  #line: DomainLine | undefined;
  #round = 0n;

  /** The server's clock showed `unixNs` at about this raw instant; a line replaces it. */
  setProvisional(rawNs: RawNanos, unixNs: UnixNanos): void {
    const segment = { rawNs, domainUnixNs: unixNs, domainFractionNs: 0, freqPpb: 0 };
    this.#line = new DomainLine([segment]);
  }

  setLine(line: DomainLine): void {
    this.#line = line;
  }

  /** The round that has closed since the last call, with the raw instant of its close. */
  poll(nowRawNs: RawNanos): RoundClose | undefined {
    if (!this.#line) return undefined;
    const settled = this.#line.at(addNs(nowRawNs, -FLUSH_DELAY_NS)).unixNs;
    const round = settled / BigInt(ROUND_NS);
    // A coordinator whose clock stands before 1970: no message has a word for such a round.
    if (round < 0n) return undefined;
    const back = this.#round - round;
    if (back >= 0n && back < BACKWARD_ROUNDS) return undefined;
    this.#round = round;
    return { round, closeRawNs: this.#line.rawAt(unixNanos(round * BigInt(ROUND_NS))) };
  }
}
