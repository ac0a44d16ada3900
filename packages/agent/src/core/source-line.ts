/** What a host tells of its own system clock: the coordinator each round, the kernel each second. */
import type { ClockStatus } from "@ttcs/timestamper/types";
import type { RawNanos } from "@ttcs/units";
import type { Carrier } from "./carrier.ts";
import type { Standing } from "./standing.ts";

/** The kernel's own word for "no idea": its largest maxerror (ns). */
const UNSYNCHRONISED_NS = 16e9;

/**
 * The bound to UTC for the kernel, told once a second, because its own maxerror grows by 500 us in
 * that time. Without a source there is no such bound, and the clock counts as unsynchronised.
 */
export function kernelErrors({ utcBoundNs, sigmaNs, verdict }: Standing) {
  const held = verdict.state === "LOCKED" || verdict.state === "HOLDOVER";
  const synchronised = held && utcBoundNs !== undefined;
  return { maxErrorNs: utcBoundNs ?? UNSYNCHRONISED_NS, estErrorNs: sigmaNs, synchronised };
}

/** The system clock at the close of a round; undefined while it cannot be read. */
export function sourceLine(
  carrier: Carrier,
  status: ClockStatus | undefined,
  closeRawNs: RawNanos | undefined,
  steered: boolean,
) {
  if (closeRawNs === undefined || !status) return undefined;
  const reading = carrier.systemAt(closeRawNs);
  if (!reading) return undefined;
  return {
    rawNs: closeRawNs,
    systemUnixNs: reading.systemNs,
    freqPpb: carrier.measuredFreqPpb,
    maxErrorNs: status.maxErrorNs,
    synchronised: status.synchronised,
    steered,
  };
}
