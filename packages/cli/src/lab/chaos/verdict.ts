/** Holds the figures of a deed against its bars, and says both in words. */
import { duration } from "../../units-text.ts";
import type { Bar, Deed, FigureName, Figures, OutsideSample } from "./types.ts";

/** One bar of one deed, held against what was measured. */
export interface Verdict {
  readonly figure: FigureName;
  readonly measured: string;
  readonly bar: string;
  readonly ok: boolean;
}

/** One deed at its end. */
export interface DeedResult {
  readonly deed: string;
  readonly expected: string;
  /** Why it was not done, or could not be begun; then there are no figures. */
  readonly skipped?: string;
  readonly failed?: string;
  readonly figures?: Figures;
  readonly verdicts: readonly Verdict[];
  /** The first samples in which the truth was outside of the bound. */
  readonly outside?: readonly OutsideSample[];
  readonly ok: boolean;
}

/** All bars of a deed. */
export function verdictsOf(deed: Deed, figures: Figures): Verdict[] {
  return deed.bars.map((bar) => {
    const value = figures[bar.figure];
    const limit = limitOf(bar, figures);
    return {
      figure: bar.figure,
      measured: figureText(bar.figure, value),
      bar: `${bar.atLeast === undefined ? "at most" : "at least"} ${figureText(bar.figure, limit)}`,
      ok: isMet(bar, value, limit),
    };
  });
}

function limitOf({ atMost, atLeast }: Bar, figures: Figures): number | null {
  if (typeof atMost === "string") return figures[atMost];
  return atMost ?? atLeast ?? null;
}

function isMet({ atLeast, orNever }: Bar, value: number | null, limit: number | null): boolean {
  if (value === null) return orNever === true;
  if (limit === null) return false;
  return atLeast === undefined ? value <= limit : value >= limit;
}

/** A figure in its unit, which its name tells. */
export function figureText(name: FigureName, value: number | null): string {
  if (value === null) return "never";
  if (name.endsWith("_ns")) return duration(value);
  if (name.endsWith("per_s")) return value.toFixed(1);
  if (name.endsWith("_s")) return `${value.toFixed(1)} s`;
  if (name.endsWith("ratio")) return `${value.toFixed(2)} x`;
  // Rounded down, so that 100 % means all.
  if (name === "bound_held") return `${(Math.floor(value * 1e5) / 1e3).toFixed(3)} %`;
  return `${value}`;
}

/** A figure for people: "another_leads_s" is "another leads". */
export const figureLabel = (name: FigureName): string =>
  name.replace(/_(ns|s)$/, "").replaceAll("_", " ");
