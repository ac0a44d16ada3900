/**
 * The table of a simulation: a line of fixed width for each run, written when the run ends.
 *
 * Where the terminal is narrow, what matters less is left out; the hash then stands on a line below.
 */
import type { Percentiles, RunResult } from "@ttcs/simulator";
import { duration } from "../units-text.ts";
import { numberText } from "./choose.ts";

/** One run with what it cost. */
export interface Run {
  readonly result: RunResult;
  /** Time it took on this machine (s). */
  readonly tookS: number;
  /** Errors across regions of the paper's method on the same probes; absent: nobody asked. */
  readonly paper?: Percentiles;
}

interface Column {
  readonly head: string;
  readonly width: number;
  /** Also in a narrow table. */
  readonly always: boolean;
  readonly left?: true;
  readonly text: (run: Run) => string;
}

const percentile = (head: string, key: keyof Percentiles, always: boolean): Column => ({
  head,
  width: 7,
  always,
  text: ({ result }) => duration(result.figures.errorNs[key]),
});

const percent = (share: number): string => (100 * share).toFixed(share === 1 ? 0 : 1);

const COLUMNS: readonly Column[] = [
  {
    head: "scenario",
    width: 22,
    always: true,
    left: true,
    text: ({ result }) => `${numberText(result.scenario)} ${result.scenario.name}`,
  },
  { head: "seed", width: 10, always: true, text: ({ result }) => String(result.seed) },
  percentile("p50", "p50", true),
  percentile("p90", "p90", false),
  percentile("p99", "p99", true),
  percentile("max", "max", true),
  {
    head: "pairs p99",
    width: 9,
    always: false,
    text: ({ result }) => duration(result.figures.pairwiseNs.p99),
  },
  {
    head: "bound",
    width: 8,
    always: false,
    text: ({ result }) => duration(result.figures.boundNs.p50),
  },
  {
    head: "LOCKED",
    width: 6,
    always: true,
    text: ({ result }) =>
      result.figures.lockedS === null ? "never" : `${result.figures.lockedS.toFixed(1)} s`,
  },
  { head: "% of t", width: 6, always: false, text: (r) => percent(r.result.figures.lockedShare) },
  {
    head: "in bound",
    width: 8,
    always: true,
    text: ({ result: { figures: f } }) => insideText(f.outsideBound, f.boundSamples),
  },
  {
    head: "in UTC's",
    width: 8,
    always: false,
    text: ({ result: { figures: f } }) => insideText(f.outsideUtc, f.utcSamples),
  },
  {
    head: "1/2/2.6 sig",
    width: 11,
    always: false,
    text: ({ result: { figures: f } }) =>
      f.sigmaSamples === 0 ? "-" : f.sigmaShares.map((s) => (100 * s).toFixed(0)).join("/"),
  },
  { head: "steps", width: 5, always: false, text: (r) => String(r.result.figures.stepsMax) },
  { head: "chg", width: 4, always: false, text: (r) => String(r.result.figures.stateChanges) },
  { head: "x time", width: 6, always: true, text: (r) => speedOf(r) },
  { head: "hash", width: 16, always: false, text: ({ result }) => result.figures.hash },
];

/** A terminal as wide as this gets all columns (characters). */
const FULL_WIDTH = COLUMNS.reduce((sum, c) => sum + c.width + 1, -1);

/** How much faster than real time a run was. */
export function speedOf({ result, tookS }: Run): string {
  const times = result.seconds / tookS;
  return times >= 10 ? times.toFixed(0) : times.toFixed(2);
}

/** 100 % only when it is all of them. */
function insideText(outside: number, samples: number): string {
  if (samples === 0) return "-";
  if (outside === 0) return "100 %";
  return `${(Math.floor((1 - outside / samples) * 1e4) / 100).toFixed(2)} %`;
}

const shown = (width: number) => COLUMNS.filter((c) => c.always || width >= FULL_WIDTH);

const pad = (column: Column, text: string): string =>
  column.left ? text.padEnd(column.width) : text.padStart(column.width);

/** The head of the table for a terminal so wide (characters). */
export const headText = (width: number): string =>
  shown(width)
    .map((c) => pad(c, c.head))
    .join(" ");

/** The line of one run; on a narrow terminal its hash is on a second one. */
export function lineText(run: Run, width: number): string {
  const line = shown(width)
    .map((c) => pad(c, c.text(run)))
    .join(" ");
  return width >= FULL_WIDTH ? line : `${line}\n    hash ${run.result.figures.hash}`;
}
