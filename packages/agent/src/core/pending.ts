/**
 * Stamps that wait for their round to close.
 *
 * A stamp is carried to the raw scale only then, because readings on both sides of it make the
 * carry's line better than readings before it alone.
 */
import type { StampColumns } from "@ttcs/timestamper/types";

const FIRST_CAPACITY = 1024;

/** Stamps on the system scale, of all edges. */
export class PendingStamps implements StampColumns {
  length = 0;
  peer = new Uint32Array(FIRST_CAPACITY);
  probe = new Float64Array(FIRST_CAPACITY);
  systemNs = new BigInt64Array(FIRST_CAPACITY);

  append(more: StampColumns): void {
    this.#grow(this.length + more.length);
    this.peer.set(more.peer.subarray(0, more.length), this.length);
    this.probe.set(more.probe.subarray(0, more.length), this.length);
    this.systemNs.set(more.systemNs.subarray(0, more.length), this.length);
    this.length += more.length;
  }

  /** Keeps entry `from` as entry `to`; used to close the gaps of entries that are done. */
  move(from: number, to: number): void {
    this.peer[to] = this.peer[from];
    this.probe[to] = this.probe[from];
    this.systemNs[to] = this.systemNs[from];
  }

  #grow(needed: number): void {
    if (needed <= this.peer.length) return;
    const capacity = needed * 2;
    const { peer, probe, systemNs } = this;
    this.peer = new Uint32Array(capacity);
    this.probe = new Float64Array(capacity);
    this.systemNs = new BigInt64Array(capacity);
    this.peer.set(peer);
    this.probe.set(probe);
    this.systemNs.set(systemNs);
  }
}
