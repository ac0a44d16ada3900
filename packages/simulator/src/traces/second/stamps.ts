/** Another kind of stamps: cards that count ticks and now and then err, programs that are woken. */
import type { Prng } from "@ttcs/units";

/** Puts the stamp of one end: the clock's true reading (ns) in, what is written down out. */
export type Stamper = (random: Prng, clockNs: number, sent: boolean) => number;

/** A card counts ticks of 125 MHz; when in the tick it looks, is anybody's guess. */
const TICK_NS = 8;
const LOOK_NS = 10;
/** Now and then it is off by more, to either side (share, ns). */
const TAIL_SHARE = 0.004;
const TAIL_NS = 90;

/** Stamps of a network card. */
export const cardStamp: Stamper = (random, clockNs) => {
  let ns = clockNs + random.between(-LOOK_NS / 2, LOOK_NS / 2);
  if (random.uniform() < TAIL_SHARE)
    ns += random.exponential(TAIL_NS) - random.exponential(TAIL_NS);
  return TICK_NS * Math.floor(ns / TICK_NS);
};

/** A program stamps before the packet leaves, and after it has been woken by it. */
const SEND_NS = 700;
const WAKE_NS_MIN = 400;
const WAKE_NS = 1_200;
/** Sometimes something else runs first. */
const BUSY_SHARE = 0.12;
const BUSY_NS = 18_000;

/** Stamps of a program. */
export const programStamp: Stamper = (random, clockNs, sent) => {
  if (sent) return clockNs - random.exponential(SEND_NS);
  const busyNs = random.uniform() < BUSY_SHARE ? random.exponential(BUSY_NS) : 0;
  return (
    clockNs + WAKE_NS_MIN + (random.exponential(WAKE_NS) + random.exponential(WAKE_NS)) / 2 + busyNs
  );
};
