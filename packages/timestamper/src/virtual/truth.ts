/**
 * A virtual clock's own view of itself, followed from seed and log alone.
 *
 * It is what a running clock shows, computed by the same code: tests compare clocks after restarts and
 * whole laboratories with it. Nothing is judged by it: the laboratory has a truth of its own, which
 * shares no code with the clocks. It cannot see a write before it is in the log.
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
