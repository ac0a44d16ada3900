/**
 * One look at the kernel's clocks, for programs that open no timestamper (the laboratory's parent).
 */
import { KernelClockReader } from "./clock-reader.ts";

/** One instant on the kernel's own clocks: raw (ns) and real-time (Unix ns). Reads only. */
export function readKernelClocks(): { readonly kernelRawNs: bigint; readonly unixNs: bigint } {
  const { kernelRawNs, systemNs } = new KernelClockReader().read();
  return { kernelRawNs, unixNs: systemNs };
}
