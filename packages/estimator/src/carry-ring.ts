/**
 * The newest pieces of a carry's line, in a ring.
 *
 * Problem: stamps come up to some seconds late, so the pieces of that time must be kept; a day has a
 * hundred thousand. Approach: a fixed number of pieces that are overwritten when the ring comes round,
 * so that nothing is allocated. The newest piece is the one that grows.
 *
 * It cannot see whether its pieces fit together: `carry.ts` opens and ends them.
 */
import { addNs, diffNs, SECOND_NS } from "@ttcs/units";
import { Segment } from "./carry-segment.ts";

/** Pieces kept: 6 s and more, even at four writes a second. */
const RING_SIZE = 24;

/** See the module head. */
export class CarryRing {
  readonly #ring: Segment[] = Array.from({ length: RING_SIZE }, () => new Segment());
  /** Pieces opened so far; the newest is number `#opened - 1`. */
  #opened = 0;

  /** How many pieces there are. */
  get length(): number {
    return Math.min(this.#opened, RING_SIZE);
  }

  /** The piece `back` places before the newest. */
  at(back: number): Segment {
    return this.#ring[(this.#opened - 1 - back) % RING_SIZE];
  }

  /** The newest piece that carries any stamp. */
  newestUsable(): Segment | undefined {
    for (let back = 0; back < this.length; back++) {
      const segment = this.at(back);
      if (segment.usable && segment.endS >= segment.startS) return segment;
    }
    return undefined;
  }

  /** The largest sigma and bound (ns) of the pieces in use since a raw instant: for a window. */
  worstSince(rawNs: bigint): { sigmaNs: number; boundNs: number } {
    const { sigmaNs = Number.NaN, boundNs = Number.NaN } = this.newestUsable() ?? {};
    const worst = { sigmaNs, boundNs };
    for (let back = 0; back < this.length; back++) {
      const segment = this.at(back);
      const endsBefore = diffNs(rawNs, segment.originRawNs) > segment.endS * SECOND_NS;
      if (back > 0 && endsBefore) break;
      if (!segment.usable || segment.endS < segment.startS) continue;
      worst.sigmaNs = Math.max(worst.sigmaNs, segment.sigmaNs);
      worst.boundNs = Math.max(worst.boundNs, segment.boundNs);
    }
    return worst;
  }

  /** Opens the first piece, at these zeros of both scales. */
  openFirst(rawNs: bigint, systemNs: bigint): void {
    this.#opened = 0;
    this.#next(rawNs, systemNs, 0);
  }

  /**
   * Opens a piece after the newest one.
   *
   * @param moveNs by how much both its zeros lie after those of the newest one (whole ns).
   * @param stepNs by how much that of the system scale lies further (whole ns).
   * @param gapS from its zero back to where the one before has ended (s, 0 or less).
   */
  open(moveNs: number, stepNs: number, gapS: number): void {
    const { originRawNs, originSystemNs } = this.at(0);
    this.#next(addNs(originRawNs, moveNs), addNs(originSystemNs, moveNs) + BigInt(stepNs), gapS);
  }

  #next(originRawNs: bigint, originSystemNs: bigint, gapS: number): void {
    const segment = this.#ring[this.#opened++ % RING_SIZE];
    segment.originRawNs = originRawNs;
    segment.originSystemNs = originSystemNs;
    segment.gapS = gapS;
    segment.startS = 0;
  }
}
