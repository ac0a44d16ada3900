/** What a host tells the coordinator of its own system clock, each round. */
import type { ClockStatus } from "@ttcs/timestamper/types";
import type { RawNanos } from "@ttcs/units";
import type { Carrier } from "./carrier.ts";

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
