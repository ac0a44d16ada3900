/** Clocks of the cost benchmark, and the middle of several measurements. */

/** Time on the wall (ms). */
export const wallMs = (): number => performance.now();

/**
 * CPU time of this thread since it began (ms): other programs on the machine do not count, but many
 * kernels only tell it in steps of 4 ms.
 */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The value in the middle; the upper one of two. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1];
