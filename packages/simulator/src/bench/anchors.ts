/**
 * What other programs reached in the worlds S1 to S6, as measured once with the real programs in a
 * deterministic simulator of clocks and networks (clknetsim): chrony and ptp4l over one path, every
 * program with the same delays and the same clocks. Errors against true time, median and p99 (ns).
 */
import type { ScenarioName } from "../traces/scenarios.ts";

/** One program in one world. */
export interface Anchor {
  readonly name: string;
  readonly p50Ns: number;
  readonly p99Ns: number;
  /** Exchanges per second of one client; each is two packets. */
  readonly exchangesPerS: number;
}

/** Both programs; `chrony` is the best setting that was found. */
export interface Anchors {
  readonly chrony: Anchor;
  readonly ptp4l: Anchor;
}

/** ptp4l: 8 to 16 rounds a second, of three packets in one direction and one in the other. */
const PTP_RATE = 12;

const pair = (
  [chronyP50Us, chronyP99Us, rate]: readonly [number, number, number],
  [ptpP50Us, ptpP99Us, ptpRate = PTP_RATE]: readonly [number, number, number?],
): Anchors => ({
  chrony: {
    name: `chrony, ${rate} Hz`,
    p50Ns: 1e3 * chronyP50Us,
    p99Ns: 1e3 * chronyP99Us,
    exchangesPerS: rate,
  },
  ptp4l: {
    name: ptpRate === PTP_RATE ? "ptp4l, 8-16 Hz" : `ptp4l, ${ptpRate} Hz`,
    p50Ns: 1e3 * ptpP50Us,
    p99Ns: 1e3 * ptpP99Us,
    exchangesPerS: ptpRate,
  },
});

/** The figures by world. S5: chrony at 1 Hz interleaved; S6: at the rate of S2, whose queues it has. */
export const anchors: Partial<Readonly<Record<ScenarioName, Anchors>>> = {
  S1: pair([0.067, 0.29, 16], [0.17, 0.67]),
  S2: pair([0.11, 0.48, 128], [2.8, 11.8]),
  S3: pair([1.4, 5.4, 128], [16.7, 72]),
  S4: pair([0.65, 2.9, 64], [2.6, 94]),
  S5: pair([38.6, 107, 1], [62, 196, 1]),
  S6: pair([1.5, 3.0, 128], [6.9, 39]),
};
