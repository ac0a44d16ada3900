import type { TripleColumns } from "@ttcs/timestamper/types";
import { addNs, Prng, type RawNanos, rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { Carrier } from "./carrier.ts";

const SEED = 20261122;
const RAW_ZERO = rawNanos(5_000_000_000_000n);
const UNIX_ZERO = 1_795_305_600_000_000_000n;
const BATCH_NS = 50e6;

/** A daemon that sets its clock every 2 s by some 100 ppb, as one does that follows a source. */
class DaemonHost {
  readonly carrier: Carrier;
  readonly #random = new Prng(SEED);
  #nowNs = 0;
  #settingPpb = 12_000;
  /** Where the line began (ns of raw), and what the system clock had gained there (ns). */
  #sinceNs = 0;
  #gainedNs = 0;

  constructor(steers: boolean) {
    this.carrier = new Carrier(steers);
  }

  systemNs(rawNs: number): number {
    return this.#gainedNs + ((rawNs - this.#sinceNs) * this.#settingPpb) / 1e9 + rawNs;
  }

  /** One batch; the daemon writes somewhere within it when `changePpb` is not 0. */
  batch(changePpb = 0): RawNanos {
    const from = this.#nowNs;
    const writeNs = from + this.#random.uniform() * BATCH_NS;
    const triples: TripleColumns = {
      length: 5,
      rawBeforeNs: new BigInt64Array(5),
      systemNs: new BigInt64Array(5),
      rawAfterNs: new BigInt64Array(5),
    };
    for (let i = 0; i < 5; i++) {
      const at = from + i * 10e6;
      if (at >= writeNs) this.#write(writeNs, changePpb);
      const widthNs = this.#random.between(60, 120);
      triples.rawBeforeNs[i] = addNs(RAW_ZERO, at);
      triples.rawAfterNs[i] = addNs(RAW_ZERO, at + widthNs);
      const read = this.systemNs(at + widthNs * this.#random.uniform());
      triples.systemNs[i] = UNIX_ZERO + BigInt(Math.floor(read));
    }
    this.#write(writeNs, changePpb);
    this.#nowNs += BATCH_NS;
    const rawNs = rawNanos(addNs(RAW_ZERO, this.#nowNs));
    this.carrier.addTriples(triples);
    this.carrier.lookAtSetting(rawNs, this.#settingPpb);
    return rawNs;
  }

  /** Error of the carried system clock at the end of the last batch (ns). */
  get errorNs(): number {
    const read = this.carrier.systemAt(rawNanos(addNs(RAW_ZERO, this.#nowNs)))!;
    return Number(read.systemNs - UNIX_ZERO) + read.fractionNs - this.systemNs(this.#nowNs);
  }

  #written = Number.NaN;
  #write(atNs: number, changePpb: number): void {
    if (changePpb === 0 || this.#written === atNs) return;
    this.#written = atNs;
    this.#gainedNs = this.systemNs(atNs) - atNs;
    this.#sinceNs = atNs;
    this.#settingPpb += changePpb;
  }
}

test("a daemon's settings are followed, whether or not a reading could tell", () => {
  const host = new DaemonHost(false);
  let squares = 0;
  let count = 0;
  for (let i = 0; i < 2_000; i++) {
    const rawNs = host.batch(i % 40 === 20 ? (i % 80 === 20 ? 150 : -150) : 0);
    expect(host.carrier.takeForeign(rawNs)).toBeUndefined();
    if (i < 40 || i % 40 < 22) continue;
    squares += host.errorNs ** 2;
    count++;
  }
  const rmsNs = Math.sqrt(squares / count);
  console.log(`a daemon's clock: read with ${rmsNs.toFixed(1)} ns rms (seed ${SEED})`);
  expect(rmsNs).toBeLessThan(10);
  expect(host.carrier.foreignPpb).toBe(0);
});

test("the same settings on a clock that we steer are another hand's", () => {
  const host = new DaemonHost(true);
  for (let i = 0; i < 40; i++) host.batch();
  host.batch(150);
  const rawNs = host.batch();
  expect(host.carrier.takeForeign(rawNs)?.deed).toBe(
    "set its frequency to +12.2 ppm (we had set +12.0 ppm)",
  );
});
