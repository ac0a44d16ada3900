/**
 * What a round costs: from the fits in the coordinator's book to every host's track and bounds.
 *
 * The median of several rounds after others that warm the compiler and the caches up. Time on the
 * wall; the CPU time of the thread stands beside it, as the mean of all rounds, for machines that are
 * busy with other things. The sketch of sigma, which the coordinator makes between rounds, is
 * measured apart.
 */
import { FitBook, pairKey, ROUND_PARTS, RoundWorkspace, solveRound } from "@ttcs/coordinator/core";
import { EdgeBias, EdgeCourt } from "@ttcs/estimator";
import { Fleet } from "./fleet.ts";
import { weaveMesh } from "./mesh.ts";
import { median, threadMs, wallMs } from "./timing.ts";

/** Columns of the table: the book, then the parts of the solve. */
export const PARTS = ["book", ...ROUND_PARTS, "views"] as const;
export type Part = (typeof PARTS)[number];

/** What was measured for one size (ms). */
export interface RoundCost {
  readonly hostCount: number;
  readonly edgeCount: number;
  /** Median of the rounds' sums. */
  readonly roundMs: number;
  /** Median of each part. */
  readonly partMs: Readonly<Record<Part, number>>;
  /** Mean CPU time of a round. */
  readonly cpuMs: number;
  /** The longest round measured: a mesh that changes, a collection of garbage. */
  readonly worstMs: number;
  /** All of one sketch, and the longest piece of it between two rounds. */
  readonly sketchMs: number;
  readonly pieceMs: number;
}

/** How much is measured. */
export interface CostPlan {
  readonly neighbours: number;
  readonly seed: number;
  /** Rounds measured and rounds before them. */
  readonly rounds: number;
  readonly warmUpRounds: number;
}

/** More than enough pieces for two sketches: some tens each. */
const PIECES = 80;

/** Measures rounds of one size. */
export function measureRounds(hostCount: number, plan: CostPlan): RoundCost {
  const mesh = weaveMesh(hostCount, plan.neighbours, plan.seed);
  const fleet = new Fleet(mesh, plan.seed);
  const domain = new CoordinatorPart(fleet);
  const laps: Record<Part, number>[] = [];
  let sketchMs = 0;
  let pieceMs = 0;
  for (let round = 0; round < plan.warmUpRounds + plan.rounds; round++) {
    if (round === plan.warmUpRounds) domain.cpuMs = 0;
    const lap = domain.round();
    if (round >= plan.warmUpRounds) laps.push(lap);
    const pieces = domain.idle();
    if (pieces.sumMs > sketchMs) ({ sumMs: sketchMs, longestMs: pieceMs } = pieces);
  }
  const sums = laps.map((lap) => PARTS.reduce((sum, part) => sum + lap[part], 0));
  const partMs = Object.fromEntries(
    PARTS.map((part) => [part, median(laps.map((lap) => lap[part]))]),
  ) as Record<Part, number>;
  const edgeCount = mesh.from.length;
  const worstMs = Math.max(...sums);
  const roundMs = median(sums);
  const cpuMs = domain.cpuMs / plan.rounds;
  return { hostCount, edgeCount, roundMs, partMs, cpuMs, worstMs, sketchMs, pieceMs };
}

/** What of a coordinator takes part in a round. */
class CoordinatorPart {
  readonly #fleet: Fleet;
  readonly #book = new FitBook();
  readonly #court = new EdgeCourt();
  readonly #bias = new EdgeBias();
  readonly #workspace = new RoundWorkspace();
  readonly #dealt: ReadonlySet<string>;
  #nowMs = 0;
  /** CPU time of all rounds (ms). */
  cpuMs = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    const { from, to } = fleet.mesh;
    this.#dealt = new Set(from.map((a, e) => pairKey(a + 1, to[e] + 1)));
  }

  /** Takes the reports of a round and solves it; what the parts cost (ms). */
  round(): Record<Part, number> {
    this.#nowMs += 500;
    for (const fit of this.#fleet.nextFits()) {
      this.#book.take([fit], fit.owner, this.#dealt, this.#nowMs);
    }
    const lap = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>;
    const cpuBeganMs = threadMs();
    let beganMs = wallMs();
    const end = (part: Part) => {
      const nowMs = wallMs();
      lap[part] += nowMs - beganMs;
      beganMs = nowMs;
    };
    const fits = this.#book.fresh(this.#nowMs);
    end("book");
    const result = solveRound(this.#fleet.reference, this.#fleet.hosts, fits, {
      court: this.#court,
      bias: this.#bias,
      workspace: this.#workspace,
      onPart: end,
    });
    for (const number of this.#fleet.hosts.keys()) result?.edges.get(number);
    end("views");
    this.cpuMs += threadMs() - cpuBeganMs;
    return lap;
  }

  /** The time between two rounds. */
  idle(): { sumMs: number; longestMs: number } {
    let sumMs = 0;
    let longestMs = 0;
    for (let piece = 0; piece < PIECES; piece++) {
      const beganMs = wallMs();
      this.#workspace.idle();
      const ms = wallMs() - beganMs;
      sumMs += ms;
      longestMs = Math.max(longestMs, ms);
    }
    return { sumMs, longestMs };
  }
}
