/**
 * What a laboratory costs, by part of the work, over an interval.
 *
 * Each process tells the parts that it knows (`cpu` of its status); the kernel tells what the whole
 * process has used. The rest is the difference, so that the parts add up to what the kernel counts,
 * whatever a process leaves out. A process that was started in between counts from its start.
 */
import type { CpuSeconds } from "@ttcs/agent";

/** One process at one instant. */
export interface ProcessSnapshot {
  readonly id: string;
  readonly pid: number;
  /** Processor time of the whole process since its start, as the kernel counts it (s). */
  readonly cpuSeconds: number;
  readonly memoryMb: number;
  /** What the process says of it; absent when it was not asked or did not answer. */
  readonly cpu?: CpuSeconds;
}

/** All processes at one instant. */
export interface CostSnapshot {
  /** On any clock (s). */
  readonly atS: number;
  readonly processes: readonly ProcessSnapshot[];
}

/** Processor cores in use on average, by part; they add up to `total`. */
export interface PartCores {
  readonly probing: number;
  readonly exchange: number;
  readonly fit: number;
  readonly solve: number;
  readonly rest: number;
  readonly total: number;
}

/** Costs over an interval. */
export interface Costs {
  /** Length of the interval (s). */
  readonly seconds: number;
  readonly cores: PartCores;
  /** Resident memory at the end (MB), of agents in the middle and at most, and of the server. */
  readonly agentMemoryMb: { readonly p50: number; readonly max: number };
  readonly serverMemoryMb: number | null;
}

const SERVER = "server";
const NAMED = ["probing", "exchange", "fit", "solve"] as const;

/** Sums up what all processes used between two snapshots. */
export function costsBetween(before: CostSnapshot, after: CostSnapshot): Costs {
  const seconds = after.atS - before.atS;
  const earlier = new Map(before.processes.map((p) => [p.pid, p]));
  const used = { probing: 0, exchange: 0, fit: 0, solve: 0 };
  let total = 0;
  for (const process of after.processes) {
    const start = earlier.get(process.pid);
    total += process.cpuSeconds - (start?.cpuSeconds ?? 0);
    // Without a first answer the parts of the interval are not known: all of it is rest.
    if (!process.cpu || (start && !start.cpu)) continue;
    for (const part of NAMED) {
      used[part] += process.cpu[`${part}_s`] - (start?.cpu?.[`${part}_s`] ?? 0);
    }
  }
  const rest = total - used.probing - used.exchange - used.fit - used.solve;
  const cores = (s: number): number => s / seconds;
  const memory = after.processes
    .filter((p) => p.id !== SERVER)
    .map((p) => p.memoryMb)
    .sort((a, b) => a - b);
  return {
    seconds,
    cores: {
      probing: cores(used.probing),
      exchange: cores(used.exchange),
      fit: cores(used.fit),
      solve: cores(used.solve),
      rest: cores(rest),
      total: cores(total),
    },
    agentMemoryMb: { p50: memory[memory.length >> 1] ?? 0, max: memory.at(-1) ?? 0 },
    serverMemoryMb: after.processes.find((p) => p.id === SERVER)?.memoryMb ?? null,
  };
}

const MEANING: Readonly<Record<keyof PartCores, string>> = {
  probing: "sending and reading out probes, with the virtual clocks",
  exchange: "carrying stamps, packing and unpacking flushes",
  fit: "fitting edges",
  solve: "solving the mesh, in the server",
  rest: "transport, runtime, garbage collection, compiling",
  total: "",
};

/** The costs for people. */
export function costsText({ seconds, cores, agentMemoryMb, serverMemoryMb }: Costs): string {
  const rows = Object.entries(cores).map(([part, n]) => {
    const share = cores.total > 0 ? Math.round((100 * n) / cores.total) : 0;
    const meaning = MEANING[part as keyof PartCores];
    return `  ${part.padEnd(9)} ${n.toFixed(3)} cores ${`${share}`.padStart(3)} %  ${meaning}`.trimEnd();
  });
  const server = serverMemoryMb === null ? "" : `, server ${serverMemoryMb} MB`;
  return [
    `CPU over ${seconds.toFixed(0)} s by part:`,
    ...rows,
    `memory: agents ${agentMemoryMb.p50} MB (largest ${agentMemoryMb.max} MB)${server}`,
  ].join("\n");
}
