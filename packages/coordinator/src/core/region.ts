/**
 * One region of a domain: a mesh of its own with a local reference.
 *
 * All that a domain without regions has stands here once for each region: who leads, the
 * anchors, the court, the biases of edges, the workspace of rounds, and who must hold over. A region that follows another one has a link besides: its
 * local reference's raw clock against the domain reference's.
 */
import { EdgeBias, EdgeCourt } from "@ttcs/estimator";
import type { RawNanos } from "@ttcs/units";
import { AnchorSet } from "./anchors.ts";
import type { MeshFit } from "./fits.ts";
import { Holding, minorityReason } from "./holding.ts";
import { connectedHosts, type Host, type Track } from "./host.ts";
import { Leadership } from "./leadership.ts";
import { LeapWatch } from "./leap-watch.ts";
import { MeshGuard } from "./mesh-guard.ts";
import { Newcomers } from "./newcomers.ts";
import { RoundWorkspace } from "./round-workspace.ts";
import { type RoundResult, solveRound } from "./solve.ts";

/** What is known of the way from the region that leads to one that follows it. */
export interface Link {
  /** Numbers of the two references between whose raw clocks the track lies. */
  readonly domainReference: number;
  readonly localReference: number;
  /** The local reference's raw clock against the domain reference's. */
  readonly track: Track;
}

/** A region's line against the domain's, as it was found last. */
export interface LastRest {
  /** Domain minus region (ns), its rate (ppb), and the standard uncertainty of both. */
  readonly ns: number;
  readonly ratePpb: number;
  readonly sigmaNs: number;
  readonly freqSigmaPpb: number;
  /** Guaranteed bound of the region's line to the domain's (ns). */
  readonly boundNs: number;
}

/** What a host is told that must hold over. */
export interface Told {
  readonly reason: string;
  readonly alarms?: readonly string[];
}

type Say = (level: "info" | "warn", text: string) => void;

/** See the module head. */
export class Region {
  readonly name: string;
  readonly members = new Map<number, Host>();
  readonly anchors = new AnchorSet();
  readonly holding = new Holding(this.anchors);
  readonly court = new EdgeCourt();
  readonly workspace = new RoundWorkspace();
  readonly leadership: Leadership;
  readonly guard: MeshGuard;
  readonly newcomers = new Newcomers();
  readonly #bias = new EdgeBias();
  readonly #leapWatch = new LeapWatch();
  readonly #say: Say;
  /** The last round of its own mesh, when its hosts may be steered by it; undefined: they may not. */
  result: RoundResult | undefined;
  /** What all of its hosts are told that must hold over in this round; undefined: they need not. */
  hold: ((host: Host) => Told | undefined) | undefined;
  /** Server's monotonic time of the last round that its hosts could be steered by (ms). */
  steeredMs = Number.NaN;
  /** Set in a region that follows another one. */
  link: Link | undefined;
  rest: LastRest | undefined;
  /** The last instant at which gateways were heard, on the domain reference's raw clock (ns). */
  heardRefRawNs: RawNanos | undefined;
  /** Server's monotonic time since when it could lead better than the one that does (ms). */
  betterSinceMs = Number.NaN;

  constructor(name: string, say: Say) {
    this.name = name;
    this.#say = say;
    this.leadership = new Leadership(this.members, this.anchors, say);
    this.guard = new MeshGuard(this.members, this.workspace, say);
  }

  /** The members with a live stream. */
  get connected(): Host[] {
    return connectedHosts(this.members.values());
  }

  /**
   * Finds the reference of this round and solves the mesh against it.
   *
   * @param fits those inside the region
   * @param anchors numbers of the hosts that the mesh was dealt with as anchors
   * @returns true when another host leads than before
   */
  solve(fits: readonly MeshFit[], anchors: ReadonlySet<number>, nowMs: number): boolean {
    const before = this.leadership.reference;
    this.result = undefined;
    this.hold = undefined;
    const reference = this.leadership.lead(fits, nowMs);
    if (reference) {
      const { court, workspace } = this;
      const memory = { court, bias: this.#bias, workspace, anchors };
      const counting = this.newcomers.counting(fits, this.members, reference);
      this.result = solveRound(reference, this.members, counting, memory);
      if (this.result) {
        this.newcomers.note(this.result, this.members);
        this.guard.note(this.result);
      }
    }
    return reference !== before;
  }

  /**
   * Judges whether this round may steer anybody; `result` and `hold` tell.
   *
   * @returns true when the anchors have changed
   */
  judge(nowMs: number): boolean {
    const { leadership, result } = this;
    const { reference } = leadership;
    if (!reference) return false;
    const { held, changed } = this.#mayNotSteer(reference, nowMs);
    if (held) this.hold = () => ({ reason: held });
    else if (result?.noConsensus) this.hold = (host) => this.guard.hold(host, result);
    if (this.hold || !result || this.#leaps(result, nowMs)) this.result = undefined;
    else this.steeredMs = nowMs;
    return changed;
  }

  /** A host is gone for good. */
  forget(host: Host): void {
    this.holding.forget(host);
    this.leadership.sources.forget(host);
  }

  /** Why nobody is steered in this round; undefined: those who are reached may be. */
  #mayNotSteer(reference: Host, nowMs: number): { held: string | undefined; changed: boolean } {
    const { anchors, leadership, members, result } = this;
    const reached = this.holding.reached(result, this.connected, nowMs);
    anchors.noteReached(reached, nowMs);
    const view = anchors.view(nowMs);
    // What contradicts itself is no ground to begin on.
    if (result && (!result.noConsensus || leadership.scale)) {
      const enough = !view.size || anchors.isMajority(anchors.countOf(reached));
      leadership.solved(result.atRefRawNs, enough, nowMs);
    }
    const changes = anchors.tend(members, reference, leadership.lockedOnce, nowMs);
    for (const change of changes) this.#say("info", change);
    const why = result
      ? minorityReason(view.present, view.size)
      : `the reference ${reference.id} is out of reach`;
    const held = view.hasMajority ? undefined : why;
    const news = this.holding.news(held ?? "");
    if (news) this.#say(held ? "warn" : "info", news);
    return { held, changed: changes.length > 0 };
  }

  /** True when this round shows the reference, not the others, to have left its course. */
  #leaps(result: RoundResult, nowMs: number): boolean {
    if (!this.leadership.isSettled(nowMs)) return false;
    const { suspicious, proof } = this.#leapWatch.look(result);
    if (proof) this.leadership.demote(proof, nowMs);
    return suspicious;
  }
}
