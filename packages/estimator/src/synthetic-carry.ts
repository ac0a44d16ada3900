/**
 * A host whose system clock is a known piecewise line over its raw clock, for tests of carries.
 *
 * It gives a `Carry` what a real host would, batches of triples of which some are interrupted, and
 * knows the truth about each stamp. Frequencies take effect at ticks of 4 ms, as at 250 Hz. It cannot
 * show a clock that is bent within a piece.
 */
import { addNs, Prng } from "@ttcs/units";
import { Carry } from "./carry.ts";

/** See the module head. */
export class SteeredHost {
  readonly rawStart = 7_000_123_456_789n;
  readonly #systemStart = 1_790_000_000_000_000_000n;
  readonly #breaksNs: number[] = [0];
  readonly #offsetsNs: number[] = [0];
  readonly #ratesPpb: number[];
  readonly carry = new Carry();
  readonly random: Prng;

  constructor(seed: number, ratePpb: number) {
    this.random = new Prng(seed);
    this.#ratesPpb = [ratePpb];
  }

  /** System minus raw, ns, without the two zeros. */
  offsetNs(sinceNs: number): number {
    let piece = this.#breaksNs.length - 1;
    while (piece > 0 && sinceNs < this.#breaksNs[piece]) piece--;
    return (
      this.#offsetsNs[piece] + (this.#ratesPpb[piece] * (sinceNs - this.#breaksNs[piece])) / 1e9
    );
  }

  /** The true system clock, whole ns. */
  system(sinceNs: number): bigint {
    return addNs(this.#systemStart, sinceNs) + BigInt(Math.floor(this.offsetNs(sinceNs)));
  }

  raw(sinceNs: number): bigint {
    return addNs(this.rawStart, sinceNs);
  }

  /** Changes the clock; its effect comes with the next tick of 4 ms. Tells nobody. */
  write(sinceNs: number, changePpb: number, stepNs: number): void {
    const last = this.#ratesPpb.length - 1;
    if (stepNs !== 0) this.#piece(sinceNs, this.#ratesPpb[last], stepNs);
    this.#piece(Math.floor(sinceNs / 4e6) * 4e6 + 4e6, this.#ratesPpb[last] + changePpb, 0);
  }

  /**
   * Batches of triples every 50 ms in [from, to), at 100 a second. `place` is where in its bracket
   * a reading lies, 0 to 1; anywhere when it is left out.
   */
  run(fromNs: number, toNs: number, place?: number): void {
    for (let at = fromNs; at < toNs; at += 50e6) {
      const t = {
        length: 5,
        rawBeforeNs: new BigInt64Array(5),
        systemNs: new BigInt64Array(5),
        rawAfterNs: new BigInt64Array(5),
      };
      for (let i = 0; i < 5; i++) {
        const rare = this.random.uniform() < 0.02;
        const widthNs = Math.round(rare ? 30_000 : this.random.between(100, 300));
        const before = Math.round(at + i * 10e6);
        t.rawBeforeNs[i] = this.raw(before);
        t.rawAfterNs[i] = this.raw(before + widthNs);
        t.systemNs[i] = this.system(before + widthNs * (place ?? this.random.uniform()));
      }
      this.carry.addTriples(t);
    }
  }

  /** Error (ns) of one carried stamp taken at a true instant; NaN when it was refused. */
  errorNs(sinceNs: number): number {
    const out = new Float64Array(1);
    const stamp = BigInt64Array.of(this.system(sinceNs));
    this.carry.toRaw(stamp, 1, this.rawStart, out);
    return out[0] - sinceNs;
  }

  #piece(atNs: number, ratePpb: number, stepNs: number): void {
    const offset = this.offsetNs(atNs);
    this.#breaksNs.push(atNs);
    this.#offsetsNs.push(offset + stepNs);
    this.#ratesPpb.push(ratePpb);
  }
}
