/** What else the machine does while the benchmark measures. */
import { cpus, loadavg } from "node:os";

/** Processor time of all programs since the machine's start (s), and of one processor's time. */
export interface MachineUse {
  readonly busyS: number;
  readonly atS: number;
}

export function machineUse(): MachineUse {
  const busyMs = cpus().reduce((sum, { times }) => {
    return sum + times.user + times.nice + times.sys + times.irq;
  }, 0);
  return { busyS: busyMs / 1e3, atS: performance.now() / 1e3 };
}

/** "load 0.4, 1.1, 2.0 on 2 processors" */
export const loadText = (): string =>
  `load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(", ")} on ${cpus().length} processors`;
