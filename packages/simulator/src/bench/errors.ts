/** Estimates as columns, and what they are off by the truth. */
import type { TracePlan } from "../replay/plan.ts";
import type { ClosedRound } from "../replay/replay.ts";

/** What hosts and the reference show at the same instants, told at even distances. */
export class TruthLines {
  readonly #hostNs: readonly number[][];
  readonly #referenceNs: readonly number[][];

  constructor(hosts: number) {
    this.#hostNs = Array.from({ length: hosts }, () => []);
    this.#referenceNs = Array.from({ length: hosts }, () => []);
  }

  /** One instant; ns since the zeros. */
  add(host: number, hostNs: number, referenceNs: number): void {
    this.#hostNs[host].push(hostNs);
    this.#referenceNs[host].push(referenceNs);
  }

  /** What the reference shows when the host shows `ns` (both since their zeros); NaN: not told. */
  referenceAt(host: number, ns: number): number {
    return between(this.#hostNs[host], this.#referenceNs[host], ns);
  }
}

/** Linear interpolation; `x` rises at nearly even distances. NaN outside. */
function between(x: readonly number[], y: readonly number[], at: number): number {
  const last = x.length - 1;
  if (last < 1 || !(at >= x[0] && at <= x[last])) return Number.NaN;
  // Told at even distances, but for some millionths: the guess is a step off at most.
  const step = (x[last] - x[0]) / last;
  let i = Math.min(last - 1, Math.floor((at - x[0]) / step));
  while (i > 0 && x[i] > at) i--;
  while (i < last - 1 && x[i + 1] <= at) i++;
  return y[i] + ((at - x[i]) / (x[i + 1] - x[i])) * (y[i + 1] - y[i]);
}

/** See the module head; one entry per estimate of a host. Plain numbers, to be handed over. */
export class ErrorColumns {
  readonly host: number[] = [];
  /** Round's close since the recording's start (s). */
  readonly atS: number[] = [];
  readonly sigmaNs: number[] = [];
  readonly boundNs: number[] = [];
  /** Estimate minus truth (ns); NaN beyond the truth. */
  readonly errorNs: number[] = [];
  readonly #hostNs: number[] = [];
  readonly #referenceNs: number[] = [];

  /** Takes a round's estimates. */
  add(round: ClosedRound, plan: TracePlan, zeros: readonly bigint[]): void {
    const zero = zeros[plan.reference];
    for (const each of round.estimates) {
      this.host.push(each.host);
      this.atS.push(Number(round.closeRefRawNs - zero) * 1e-9);
      this.sigmaNs.push(each.sigmaNs);
      this.boundNs.push(each.boundNs);
      this.#hostNs.push(Number(each.hostNs - zeros[each.host]));
      this.#referenceNs.push(Number(each.referenceNs - zero) - each.earlierNs);
    }
  }

  /** Fills `errorNs`. */
  judge(truth: TruthLines): void {
    this.#hostNs.forEach((hostNs, i) => {
      this.errorNs.push(this.#referenceNs[i] - truth.referenceAt(this.host[i], hostNs));
    });
  }
}
