/**
 * A network card and its driver: from the instants of a batch's probes to stamps.
 *
 * A stamp is the host's system clock at the probe's instant, and wrong by
 *
 * - noise of the card (normal), to both sides;
 * - lateness of software (exponential): a send stamp is taken before the probe is on the wire, a
 *   receive stamp after it has come;
 * - now and then a receive stamp that is early by some hundred ns (a known artefact of cards);
 * - a single slot: a card that has to hand over one stamp before it can take another leaves the second
 *   of two packets without one.
 *
 * Columns are reused for the next batch of any host: the cores copy what they keep.
 */
import type { StampColumns } from "@ttcs/timestamper/types";
import type { Prng } from "@ttcs/units";
import { type HostClock, UNIX_ZERO_NS } from "./host-clock.ts";
import { InstantColumn } from "./instants.ts";
import type { Mail } from "./mail.ts";

/** What stamps are like. */
export interface StampSpec {
  /** Standard deviation of a card's noise, each end (ns). */
  readonly sigmaNs: number;
  /** Mean lateness of software, each end (ns). */
  readonly lateNs: number;
  /** Share of receive stamps that are early (0 to 1), by nsMin to nsMax. */
  readonly early: { readonly share: number; readonly nsMin: number; readonly nsMax: number };
  /** After a stamp the card's slot is taken for so long (ns); 0: there are slots enough. */
  readonly slotNs: number;
  /** Where the slot is: of packets sent, of packets received, or one each. */
  readonly slotOf: "sent" | "received" | "both";
}

const base = {
  column: new InstantColumn(256),
  peer: new Uint32Array(256),
  probe: new Float64Array(256),
};
const other = {
  column: new InstantColumn(256),
  peer: new Uint32Array(256),
  probe: new Float64Array(256),
};
type Columns = typeof base;

/** See the module head. */
export class Stamper {
  readonly #spec: StampSpec;
  readonly #random: Prng;
  #sentSlotNs = Number.NEGATIVE_INFINITY;
  #receivedSlotNs = Number.NEGATIVE_INFINITY;
  #spare = Number.NaN;
  /** Packets that found no slot since the start. */
  unstampedCount = 0;
  /** Sum of all stamps since the start (ns): two runs with one sum had the same stamps. */
  sumNs = 0;

  constructor(spec: StampSpec, random: Prng) {
    this.#spec = spec;
    this.#random = random;
  }

  /** Standard normal: Box and Muller give two at a time. */
  #normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(this.#random.uniform()));
    const angle = 2 * Math.PI * this.#random.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Stamps of probes sent. `shiftNs` is what a lying host adds, by peer. */
  sent(mail: Mail, clock: HostClock, shiftNs?: (peer: number) => number): StampColumns {
    const { sigmaNs, lateNs, slotOf } = this.#spec;
    const out = room(base, mail);
    const slots = this.#spec.slotNs > 0 && slotOf !== "received";
    if (slots) mail.sort();
    let count = 0;
    for (let i = 0; i < mail.length; i++) {
      const atNs = mail.atNs(i);
      if (slots) {
        if (atNs < this.#sentSlotNs) continue;
        this.#sentSlotNs = atNs + this.#spec.slotNs;
      }
      let offNs = 0;
      if (sigmaNs > 0) offNs = sigmaNs * this.#normal();
      if (lateNs > 0) offNs -= this.#random.exponential(lateNs);
      const lieNs = shiftNs ? shiftNs(mail.peer(i)) : 0;
      out.peer[count] = mail.peer(i);
      out.probe[count] = mail.probe(i);
      const systemNs = clock.systemNsAt(atNs + offNs) + lieNs;
      this.sumNs += systemNs;
      out.column.set(count++, systemNs);
    }
    this.unstampedCount += mail.length - count;
    return columns(out, count);
  }

  /** Stamps of probes received. */
  received(mail: Mail, clock: HostClock): StampColumns {
    const { sigmaNs, lateNs, early, slotOf } = this.#spec;
    const out = room(other, mail);
    const slots = this.#spec.slotNs > 0 && slotOf !== "sent";
    if (slots) mail.sort();
    let count = 0;
    for (let i = 0; i < mail.length; i++) {
      const atNs = mail.atNs(i);
      if (slots) {
        if (atNs < this.#receivedSlotNs) continue;
        this.#receivedSlotNs = atNs + this.#spec.slotNs;
      }
      let offNs = 0;
      if (sigmaNs > 0) offNs = sigmaNs * this.#normal();
      if (lateNs > 0) offNs += this.#random.exponential(lateNs);
      if (early.share > 0 && this.#random.uniform() < early.share) {
        offNs -= this.#random.between(early.nsMin, early.nsMax);
      }
      out.peer[count] = mail.peer(i);
      out.probe[count] = mail.probe(i);
      const systemNs = clock.systemNsAt(atNs + offNs);
      this.sumNs += systemNs;
      out.column.set(count++, systemNs);
    }
    this.unstampedCount += mail.length - count;
    return columns(out, count);
  }
}

function room(columns: Columns, mail: Mail): Columns {
  columns.column.reserve(mail.length);
  columns.column.setBase(UNIX_ZERO_NS);
  if (columns.peer.length < mail.length) {
    columns.peer = new Uint32Array(2 * mail.length);
    columns.probe = new Float64Array(2 * mail.length);
  }
  return columns;
}

const columns = ({ column, peer, probe }: Columns, length: number): StampColumns => ({
  length,
  peer,
  probe,
  systemNs: column.column,
});
