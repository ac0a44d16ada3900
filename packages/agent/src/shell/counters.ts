/** Counters of several places under one roof. */

/** The counters with `prefix` before each name. */
export function prefixed(prefix: string, counters: object): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, n]) => [prefix + name, n]));
}
