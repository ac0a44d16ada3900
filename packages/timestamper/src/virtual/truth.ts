/**
 * What the clocks of a laboratory host really show, for the process that judges the laboratory.
 *
 * It reads the same seed and log as the host's own virtual clock and never the host's answers. It
 * cannot see a write before it is in the log: a value for "now" may be that of the frequency before.
 */
import type { LabOptions } from "../types.ts";
import { ControlLogReader, controlLogPath } from "./control-log.ts";
import { VirtualScale } from "./scale.ts";

/** The true clocks of one laboratory host. */
export interface VirtualTruth {
  /** The host's raw clock (ns) at a reading of the kernel's CLOCK_MONOTONIC_RAW (ns). */
  rawAt(kernelRawNs: bigint): bigint;
  /** The host's system clock (Unix ns) at a reading of the kernel's CLOCK_MONOTONIC_RAW (ns). */
  systemAt(kernelRawNs: bigint): bigint;
  /** Takes note of what the host has written since the last call. */
  refresh(): void;
}

/** Opens the truth about a laboratory host; its log need not exist yet. */
export function virtualTruth(lab: LabOptions): VirtualTruth {
  const scale = new VirtualScale(lab);
  const reader = new ControlLogReader(controlLogPath(lab.stateDir, lab.index));
  const refresh = (): void => {
    for (const write of reader.readOn()) scale.control.add(write);
  };
  refresh();
  return {
    rawAt: (kernelRawNs) => scale.rawAt(kernelRawNs),
    systemAt: (kernelRawNs) => scale.systemAt(kernelRawNs),
    refresh,
  };
}
