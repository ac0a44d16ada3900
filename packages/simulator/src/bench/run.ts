/**
 * One seeded recording through several estimators at once, and their errors against the truth.
 *
 * The rows are streamed: every estimator meets the same probes in the same order, and none of them
 * is kept. The oracle gets those that met no queue.
 */
import { fitEdge } from "@ttcs/estimator";
import type { Fitter } from "../replay/edge-window.ts";
import type { TracePlan } from "../replay/plan.ts";
import { type ClosedRound, Replay } from "../replay/replay.ts";
import type { RowSink, TruthSink } from "../traces/trace.ts";
import { ErrorColumns, TruthLines } from "./errors.ts";
import { type FloorOf, oracleFitter } from "./oracle.ts";
import { WindowPicture, type WindowShot } from "./window-shot.ts";

/**
 * Who is judged. "paperWide": the paper's method behind the pair filter that ours has, which suits it
 * better in some worlds. "blind": the oracle that does not know how the floors differ by direction.
 */
export type Contestant = "ours" | "paper" | "paperWide" | "oracle" | "blind";

/** What makes rows with a known truth. */
export interface World {
  readonly plan: TracePlan;
  readonly zeros: readonly bigint[];
  readonly floorNs: FloorOf;
  readonly run: (
    row: RowSink,
    truth: TruthSink,
    probe: (metNoQueue: boolean, sound: boolean) => void,
  ) => void;
}

/** What one recording came to. */
export interface SeedRun {
  readonly errors: Partial<Record<Contestant, ErrorColumns>>;
  /** Milliseconds that each contestant took. */
  readonly costMs: Partial<Record<Contestant, number>>;
  /** Share of the windows for which the oracle had probes enough, 0 to 1. */
  readonly oracleShare: number;
  readonly rowCount: number;
  /** Edges of a host, in the mean. */
  readonly degree: number;
  readonly shot: WindowShot | undefined;
}

/** What to run. */
export interface RunOptions {
  readonly contestants: readonly Contestant[];
  /** Reads a clock (ms), for the costs; without it they are 0. */
  readonly nowMs?: () => number;
  /** Instant whose window is drawn (s since the first round); none without. */
  readonly shotAtS?: number;
}

/** The first windows are not full, and count neither for nor against the oracle (ns). */
const START_NS = 5e9;

interface Runner {
  readonly name: Contestant;
  readonly replay: Replay;
  readonly columns: ErrorColumns;
}

/** Runs one recording. */
export function runWorld(world: World, options: RunOptions): SeedRun {
  const { plan, zeros } = world;
  const { contestants, nowMs = () => 0, shotAtS } = options;
  const truth = new TruthLines(plan.hosts.length);
  const windows = { all: 0, fitted: 0 };
  const picture = shotAtS === undefined ? undefined : new WindowPicture(plan, zeros, shotAtS);
  const runners = contestants.map((name): Runner => {
    const columns = new ErrorColumns();
    const onRound = (round: ClosedRound) => {
      columns.add(round, plan, zeros);
      picture?.round(name, round);
      if (name !== "oracle" || Number(round.closeRefRawNs - zeros[plan.reference]) < START_NS)
        return;
      // Of an edge without any clean probe there is no fit at all.
      windows.all += plan.edges.length;
      windows.fitted += round.fits.reduce((sum, fit) => sum + (fit.distrust ? 0 : 1), 0);
    };
    const method = name.startsWith("paper") ? "paper" : "default";
    const replay = new Replay(plan, method, onRound, fitterOf(name, world));
    zeros.forEach((zero, host) => {
      replay.setBase(host, zero);
    });
    return { name, replay, columns };
  });
  const costMs = Object.fromEntries(contestants.map((name) => [name, 0]));
  let clean = true;
  let rowCount = 0;
  world.run(
    (from, to, pair, slot, txNs, rxNs) => {
      rowCount++;
      picture?.row(from, to, txNs, rxNs, clean);
      for (const { name, replay } of runners) {
        if (!clean && (name === "oracle" || name === "blind")) continue;
        const rounds = replay.roundCount;
        const startMs = nowMs();
        replay.probe(from, to, pair, slot, txNs, rxNs);
        if (replay.roundCount !== rounds) costMs[name] += nowMs() - startMs;
      }
    },
    (host, hostNs, referenceNs) => truth.add(host, hostNs, referenceNs),
    (metNoQueue, sound) => {
      clean = metNoQueue && sound;
    },
  );
  for (const { columns } of runners) columns.judge(truth);
  return {
    errors: Object.fromEntries(runners.map(({ name, columns }) => [name, columns])),
    costMs,
    oracleShare: windows.all === 0 ? 0 : windows.fitted / windows.all,
    rowCount,
    degree: (2 * plan.edges.length) / plan.hosts.length,
    shot: picture?.shot(
      (host, hostNs, referenceNs) => referenceNs - truth.referenceAt(host, hostNs),
    ),
  };
}

/** How a contestant fits a window; undefined: as the replay does it. */
function fitterOf(name: Contestant, { floorNs }: World): Fitter | undefined {
  if (name === "paperWide") return (window) => fitEdge(window, "paper", "wide");
  if (name === "oracle" || name === "blind") return oracleFitter(floorNs, name === "blind");
  return undefined;
}
