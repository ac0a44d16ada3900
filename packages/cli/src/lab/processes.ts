/** What a process has cost so far, as the kernel counts it. */
import { readFileSync } from "node:fs";
import type { ProcessCost } from "./figures.ts";

/** USER_HZ: the kernel counts processor time for user space in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** The cost of process `pid`; undefined when it is gone. */
export function processCost(id: string, pid: number): ProcessCost | undefined {
  try {
    // After the closing bracket of the name, fields 14 and 15 are user and system time.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const residentKb = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    return {
      id,
      cpu_seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      memory_mb: Math.round(residentKb / 1024),
    };
  } catch {
    return undefined;
  }
}
