/**
 * A probe socket of the laboratory: real datagrams with real stamps, seen through virtual clocks and
 * virtual links.
 *
 * Sent stamps are carried to the virtual system clock. Received ones are delayed by the link first;
 * until a probe has virtually arrived it is held back, because the clock it is to be stamped with may
 * still be stepped. What the virtual link loses is left out and counted apart, so that each probe is
 * accounted for: sent and stamped at one end, received or lost by the link at the other.
 */
import type { EdgeKeys } from "@ttcs/protocol";
import { createStamps, reserveStamps } from "../columns.ts";
import type {
  LabOptions,
  ProbeCounters,
  ProbeIdentity,
  ProbeSocket,
  ProbeTarget,
  StampColumns,
} from "../types.ts";
import type { VirtualSystemClock } from "./clock.ts";
import { Links } from "./links.ts";

const FIRST_CAPACITY = 256;

/** Probes on their way: where they come from, and when they arrive (kernel ns since the start). */
interface Waiting {
  length: number;
  peer: Uint32Array;
  probe: Float64Array;
  arrivalNs: Float64Array;
}

export class LabProbeSocket implements ProbeSocket {
  readonly #inner: ProbeSocket;
  readonly #clock: VirtualSystemClock;
  readonly #links: Links;
  readonly #sent = createStamps(FIRST_CAPACITY);
  readonly #received = createStamps(FIRST_CAPACITY);
  #waiting: Waiting = createWaiting(FIRST_CAPACITY);
  #kernelNs = new Float64Array(FIRST_CAPACITY);
  #instants = new BigInt64Array(FIRST_CAPACITY);
  #sentLost = 0;
  #receivedLost = 0;
  #receivedUncarried = 0;

  constructor(inner: ProbeSocket, clock: VirtualSystemClock, lab: LabOptions) {
    this.#inner = inner;
    this.#clock = clock;
    this.#links = new Links(lab.link, lab.seed);
  }

  get port(): number {
    return this.#inner.port;
  }

  get counters(): ProbeCounters {
    const { counters } = this.#inner;
    return {
      ...counters,
      sentStamped: counters.sentStamped - this.#sentLost,
      received: counters.received - this.#receivedLost - this.#receivedUncarried,
      receivedUnstamped: counters.receivedUnstamped + this.#receivedUncarried,
      injectedLoss: this.#receivedLost,
    };
  }

  setIdentity(identity: ProbeIdentity): void {
    this.#links.setHost(identity.hostNumber);
    this.#inner.setIdentity(identity);
  }

  setKeys(keys: readonly EdgeKeys[]): void {
    this.#inner.setKeys(keys);
  }

  sendPairs(targets: readonly ProbeTarget[], pair: readonly number[]): void {
    this.#inner.sendPairs(targets, pair);
  }

  drain(sent: StampColumns, received: StampColumns): void {
    this.#sent.length = 0;
    this.#received.length = 0;
    this.#inner.drain(this.#sent, this.#received);
    this.#takeSent(sent);
    this.#takeReceived();
    this.#release(received);
  }

  close(): void {
    this.#inner.close();
  }

  #takeSent(out: StampColumns): void {
    const from = this.#sent;
    this.#carry(from);
    reserveStamps(out, from.length);
    const first = out.length;
    const kernelNs = this.#kernelNs;
    for (let i = 0; i < from.length; i++) {
      if (Number.isNaN(kernelNs[i])) {
        this.#sentLost++;
        continue;
      }
      const at = out.length++;
      out.peer[at] = from.peer[i];
      out.probe[at] = from.probe[i];
      kernelNs[at - first] = kernelNs[i];
    }
    this.#stamp(out, first);
  }

  #takeReceived(): void {
    const from = this.#received;
    this.#carry(from);
    const waiting = reserveWaiting(this.#waiting, from.length);
    this.#waiting = waiting;
    for (let i = 0; i < from.length; i++) {
      const enteredNs = this.#kernelNs[i];
      if (Number.isNaN(enteredNs)) {
        this.#receivedUncarried++;
        continue;
      }
      const arrivalNs = this.#links.arrivalNs(from.peer[i], from.probe[i], enteredNs);
      if (Number.isNaN(arrivalNs)) {
        this.#receivedLost++;
        continue;
      }
      const at = waiting.length++;
      waiting.peer[at] = from.peer[i];
      waiting.probe[at] = from.probe[i];
      waiting.arrivalNs[at] = arrivalNs;
    }
  }

  /** Hands over what has arrived by now and keeps the rest. */
  #release(out: StampColumns): void {
    const waiting = this.#waiting;
    this.#reserve(waiting.length);
    reserveStamps(out, waiting.length);
    const nowNs = this.#clock.kernelNowNs();
    const first = out.length;
    let kept = 0;
    for (let i = 0; i < waiting.length; i++) {
      const arrivalNs = waiting.arrivalNs[i];
      if (arrivalNs <= nowNs) {
        const at = out.length++;
        out.peer[at] = waiting.peer[i];
        out.probe[at] = waiting.probe[i];
        this.#kernelNs[at - first] = arrivalNs;
      } else {
        waiting.peer[kept] = waiting.peer[i];
        waiting.probe[kept] = waiting.probe[i];
        waiting.arrivalNs[kept++] = arrivalNs;
      }
    }
    waiting.length = kept;
    this.#stamp(out, first);
  }

  #carry(stamps: StampColumns): void {
    this.#reserve(stamps.length);
    if (stamps.length === 0) return;
    this.#clock.carryStamps(stamps.systemNs, stamps.length, this.#kernelNs);
  }

  /** Writes the system stamps of `out` from `first` on, from the instants in `#kernelNs`. */
  #stamp(out: StampColumns, first: number): void {
    const count = out.length - first;
    if (count === 0) return;
    this.#clock.systemColumn(this.#kernelNs, count, this.#instants);
    out.systemNs.set(this.#instants.subarray(0, count), first);
  }

  #reserve(count: number): void {
    if (count <= this.#kernelNs.length) return;
    this.#kernelNs = new Float64Array(2 * count);
    this.#instants = new BigInt64Array(2 * count);
  }
}

function createWaiting(capacity: number): Waiting {
  return {
    length: 0,
    peer: new Uint32Array(capacity),
    probe: new Float64Array(capacity),
    arrivalNs: new Float64Array(capacity),
  };
}

function reserveWaiting(waiting: Waiting, more: number): Waiting {
  if (waiting.length + more <= waiting.probe.length) return waiting;
  const grown = createWaiting(2 * (waiting.length + more));
  grown.length = waiting.length;
  grown.peer.set(waiting.peer);
  grown.probe.set(waiting.probe);
  grown.arrivalNs.set(waiting.arrivalNs);
  return grown;
}
