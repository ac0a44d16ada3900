/**
 * Runs a drawn fleet through the solve as a coordinator does, and counts what liars brought about.
 *
 * For tests and long runs; the truth is known here and nowhere else.
 */
import { EdgeBias, EdgeCourt } from "@ttcs/estimator";
import { RoundWorkspace } from "./round-workspace.ts";
import { solveRound } from "./solve.ts";
import { type FleetPlan, SyntheticFleet } from "./synthetic-fleet.ts";

/** What an attack came to. */
export interface AttackFigures {
  /** Sizes of the errors of honest hosts with a value, from the attack on (ns). */
  readonly errorsNs: number[];
  /** Honest hosts whose truth was outside of their bound, and how often that was looked at. */
  readonly outside: number;
  readonly looks: number;
  /** Liars that told honest hosts different times, how many of them were named, and after how many rounds. */
  readonly edgeLiars: number;
  readonly named: number;
  readonly namedAfterRounds: number;
  /** Honest hosts that were expelled. */
  readonly falselyNamed: number;
  readonly honest: number;
  /** Rounds without a consensus, and the first after how many rounds of the attack; -1: none. */
  readonly heldRounds: number;
  readonly heldAfterRounds: number;
  readonly reason: string;
}

/** Runs an attack over so many rounds. */
export function runAttack(plan: FleetPlan, rounds: number): AttackFigures {
  const fleet = new SyntheticFleet(plan);
  const court = new EdgeCourt();
  const bias = new EdgeBias();
  const workspace = new RoundWorkspace();
  const { anchors, hosts, liars, reference } = fleet;
  const errorsNs: number[] = [];
  const named = new Map<number, number>();
  const falselyNamed = new Set<number>();
  let edgeLiars: number[] = [];
  let [outside, looks, heldRounds, heldAfterRounds, reason] = [0, 0, 0, -1, ""];
  for (let round = 1; round <= rounds; round++) {
    const fits = fleet.nextFits();
    if (round === plan.fromRound) edgeLiars = [...liars].filter((liar) => fleet.isEdgeLiar(liar));
    const result = solveRound(reference, hosts, fits, { court, bias, workspace, anchors });
    if (!result) continue;
    if (result.noConsensus) {
      heldRounds++;
      reason = result.noConsensus;
      if (heldAfterRounds < 0) heldAfterRounds = round - plan.fromRound;
    }
    for (const { host, expelled } of workspace.hostVerdicts.takeChanges()) {
      if (!expelled) continue;
      if (!liars.has(host)) falselyNamed.add(host);
      else if (!named.has(host)) named.set(host, round - plan.fromRound);
    }
    if (round < plan.fromRound) continue;
    for (const number of result.trusted) {
      if (number === reference.number || liars.has(number)) continue;
      const errorNs = Math.abs(fleet.errorNs(number, result.atRefRawNs));
      errorsNs.push(errorNs);
      looks++;
      if (errorNs > hosts.get(number)!.track!.fix!.boundNs) outside++;
    }
  }
  const late = edgeLiars.map((liar) => named.get(liar) ?? -1);
  return {
    errorsNs,
    outside,
    looks,
    edgeLiars: edgeLiars.length,
    named: late.filter((rounds) => rounds >= 0).length,
    namedAfterRounds: Math.max(-1, ...late),
    falselyNamed: falselyNamed.size,
    honest: hosts.size - liars.size,
    heldRounds,
    heldAfterRounds,
    reason,
  };
}

/** The value below which a share of all lies (0 to 1). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
