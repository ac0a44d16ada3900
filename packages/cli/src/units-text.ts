/** Durations for people: three significant digits in the unit that fits, the sign kept. */

const STEPS = [
  [1, "ns"],
  [1e3, "us"],
  [1e6, "ms"],
  [1e9, "s"],
] as const;

/** A duration without sign, like "512 ns" or "1.25 us"; "-" when unknown. */
export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined || Number.isNaN(ns)) return "-";
  const size = Math.abs(ns);
  // 999.5 would print as 1000: the next unit is used from there on.
  const [scale, unit] = STEPS.findLast(([s]) => size >= 0.9995 * s) ?? STEPS[0];
  const value = size / scale;
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

/** The same with its sign: "+" means ahead. */
export function signedDuration(ns: number | null | undefined): string {
  const text = duration(ns);
  return text === "-" ? text : `${(ns as number) < 0 ? "-" : "+"}${text}`;
}
