/**
 * New hosts weigh nothing until they have shown what they are: for three windows each hangs on the mesh by
 * one edge.
 *
 * Problem: whoever can enrol many hosts could outvote the others before anything is known of them, and a
 * host that has just begun may measure badly without meaning to. Approach: of a newcomer only the edge
 * with the narrowest guaranteed interval to a host that is known takes part. A leaf of the graph takes
 * its edge's offset whole and leaves nothing for others: the solution of the rest is the same as without
 * it. So the newcomer is corrected from its first round on, and moves nobody. Rounds in which it has a
 * trusted value count; one without begins anew.
 *
 * In the first minute of a mesh all count, and so do they while fewer than three hosts are known: somebody
 * has to begin, and after a coordinator that remembers nothing everybody comes anew. What it cannot see:
 * whether a host that behaves will go on doing so. That is for the verdicts on all hosts.
 */
import type { MeshFit } from "./fits.ts";
import type { Host } from "./host.ts";
import type { RoundResult } from "./solve.ts";

/** Clean rounds until a host counts: three windows. */
export const CLEAN_ROUNDS = 12;
/** Rounds of a mesh in which whoever has a trusted value is known at once: a minute. */
export const FOUNDING_ROUNDS = 120;
/** With so many known hosts there is a mesh to hang on. */
const KNOWN_MIN = 3;

/** One for one mesh. */
export class Newcomers {
  /** Rounds in a row in which a host had a trusted value, up to CLEAN_ROUNDS. */
  readonly #clean = new WeakMap<Host, number>();
  readonly #thread = new Map<number, MeshFit>();
  #rounds = 0;

  /** True when a host has shown itself for long enough. */
  isKnown(host: Host): boolean {
    return this.#clean.get(host) === CLEAN_ROUNDS;
  }

  /** The fits that count in this round; the reference is known whatever it has shown. */
  counting(
    fits: readonly MeshFit[],
    members: ReadonlyMap<number, Host>,
    reference: Host,
  ): readonly MeshFit[] {
    if (this.#rounds < FOUNDING_ROUNDS) return fits;
    const fresh = new Set<number>();
    for (const [number, host] of members) {
      if (host !== reference && !this.isKnown(host)) fresh.add(number);
    }
    if (fresh.size === 0 || members.size - fresh.size < KNOWN_MIN) return fits;
    this.#thread.clear();
    const counting = fits.filter(({ owner, other }) => !fresh.has(owner) && !fresh.has(other));
    for (const fit of fits) {
      const isOwnerNew = fresh.has(fit.owner);
      if (isOwnerNew === fresh.has(fit.other)) continue;
      const newcomer = isOwnerNew ? fit.owner : fit.other;
      const before = this.#thread.get(newcomer);
      if (!before || widthNs(fit) < widthNs(before)) this.#thread.set(newcomer, fit);
    }
    counting.push(...this.#thread.values());
    return counting;
  }

  /** What a round found of the hosts. */
  note({ trusted, out }: RoundResult, members: ReadonlyMap<number, Host>): void {
    const isFounding = this.#rounds++ < FOUNDING_ROUNDS;
    for (const [number, host] of members) {
      if (this.isKnown(host)) continue;
      const isClean = trusted.has(number) && !out.has(number);
      const count = isFounding ? CLEAN_ROUNDS : (this.#clean.get(host) ?? 0) + 1;
      this.#clean.set(host, isClean ? count : 0);
    }
  }
}

const widthNs = ({ belowBoundNs, aboveBoundNs }: MeshFit): number => belowBoundNs + aboveBoundNs;
