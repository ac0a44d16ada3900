/** What a plan of chaos is made of, and what was seen while it was carried out: plain data. */
import type { FailpointName } from "@ttcs/units";

/**
 * Whom a deed is done to. `reference` and `leader` (the server whose corrections are obeyed) are found
 * out when the deed begins and stay the same to its end, as is
 * `disk-agent`, one that keeps its state on a small disk and does not lead; `agent:3` is the third agent that is not the
 * reference then, `server:0` the first server.
 */
export type Target =
  | "reference"
  | "leader"
  | "agents"
  | "disk-agent"
  | `agent:${number}`
  | `server:${number}`;

/** One thing that is done, at a time since the deed began (s). */
export type Act = { readonly atS: number } & (
  | { readonly do: "kill" | "terminate" | "pause" | "resume"; readonly target: Target }
  /** Starts again what was killed; until then nobody does. */
  | { readonly do: "start"; readonly target: Target; readonly failpoint?: FailpointName }
  | { readonly do: "database"; readonly what: "stop" | "start" | "pause" | "resume" }
  | { readonly do: "cut"; readonly what: "halves" | "from-servers" }
  | { readonly do: "heal" }
  | { readonly do: "fill" | "free" }
);

/** What must be there for a deed: otherwise it is skipped, and the table says why. */
export type Need = "namespaces" | "two-servers" | "database" | "small-disks";

/** A limit on a figure: a number in the figure's unit, or another figure. */
export interface Bar {
  readonly figure: FigureName;
  readonly atMost?: number | FigureName;
  readonly atLeast?: number;
  /** It may also not have happened at all. */
  readonly orNever?: true;
}

/** One deed of the plan. */
export interface Deed {
  readonly name: string;
  /** What must happen, for people. */
  readonly expected: string;
  readonly needs: readonly Need[];
  readonly acts: readonly Act[];
  /** It is watched from its beginning for this long (s). */
  readonly watchS: number;
  /** In the short form for this long; absent: the same. */
  readonly quickS?: number;
  /** When the disturbance is over and recovery begins (s since the deed began). */
  readonly overS: number;
  /** Those that it is done to are judged by what their own figures say and left out of the others'. */
  readonly victims: readonly Target[];
  readonly bars: readonly Bar[];
  /** It takes so long that it is done only when it is asked for by its name. */
  readonly onlyByName?: true;
}

/** One answer to "now", beside the truth. */
export interface NowSample {
  /** The instant that the host named, since the laboratory began (s of the kernel's raw clock). */
  readonly atS: number;
  readonly state: string;
  /** System clock minus domain time in truth (ns); null before there is domain time. */
  readonly errorNs: number | null;
  readonly boundNs: number | null;
}

/** One answer to "status". */
export interface StatusSample {
  readonly atS: number;
  /** Process that answered: a new one begins at term 0. */
  readonly life: number;
  readonly state: string;
  readonly reason: string;
  readonly alarms: readonly string[];
  readonly term: number;
  readonly round: number;
  readonly isReference: boolean;
  readonly reference: string | null;
  readonly correctionAgeS: number | null;
}

/** One write to a clock, by its control log. */
export interface Write {
  readonly atS: number;
  readonly kind: string;
  /** ns for steps, ppb for rates. */
  readonly value: number;
}

/** All that was seen of one host. */
export interface HostRecord {
  readonly id: string;
  /** False: its clock is its time daemon's, and its distance to domain time is nobody's error. */
  readonly steered: boolean;
  readonly nows: readonly NowSample[];
  readonly statuses: readonly StatusSample[];
  readonly writes: readonly Write[];
  /**
   * True system clock minus true time at `atS` (ns): a function of the seed and the control log, so it
   * is known also where nobody has looked.
   */
  readonly apartNs: (atS: number) => number;
}

/** A sample with the truth outside of the bound: there should be none. */
export interface OutsideSample {
  readonly host: string;
  /** Since the deed began. */
  readonly at_s: number;
  readonly state: string;
  readonly true_error_ns: number;
  readonly bound_ns: number;
}

/** What the real `ttcs-agentq now` said, beside the truth at the instant that it named. */
export interface AgentqSample {
  readonly host: string;
  readonly agreed: boolean;
}

/** Everything that a deed is judged by. */
export interface DeedRecord {
  readonly hosts: readonly HostRecord[];
  /** Ids of the hosts that the deed was done to. */
  readonly victims: readonly string[];
  /** The reference when the deed began. */
  readonly reference: string;
  /** When the undisturbed part, the deed, its recovery and the watching began or ended (s). */
  readonly baselineS: number;
  readonly fromS: number;
  readonly overS: number;
  readonly toS: number;
  readonly agentq: readonly AgentqSample[];
  /** State files of the victims that could not be read afterwards. */
  readonly unreadableStates: number;
  /** Lives that ended at the failpoint that they were started with. */
  readonly failpointsReached: number;
}

/** Names of all figures; times in s, distances in ns, shares from 0 to 1. */
export type FigureName = keyof Figures;

/** What a record amounts to; null: it did not happen, or cannot be told. */
export interface Figures {
  /** From the deed to the first other host that leads, and until all others name it (s). */
  readonly another_leads_s: number | null;
  readonly all_follow_s: number | null;
  /** From the deed to the first correction of a higher term at any agent, and at the last (s). */
  readonly takeover_s: number | null;
  readonly takeover_all_s: number | null;
  /** Answers with a lower term than the same process had shown before. */
  readonly old_term_obeyed: number;
  /** Steps of clocks, and how far the largest went back (ns). */
  readonly steps: number;
  readonly backward_ns: number;
  /** How far any undisturbed clock left the course that it was on, and how far it may (ns). */
  readonly moved_ns: number | null;
  readonly moved_limit_ns: number | null;
  /** How far all of them did at least (ns): where it is as much, domain time itself has moved. */
  readonly moved_least_ns: number | null;
  /** How far one did over as long before the deed (ns). */
  readonly moved_before_ns: number | null;
  /** |system - domain| of the undisturbed: before, and from the deed on (ns). */
  readonly p99_before_ns: number | null;
  /** Before, in the four seconds that were worst: what quiet spans differ by is no deed's doing. */
  readonly p99_before_worst_ns: number | null;
  readonly p99_ns: number | null;
  readonly max_error_ns: number | null;
  /** p99 from the deed on over that of the worst four seconds before. */
  readonly p99_ratio: number | null;
  /** The same of all hosts while they are LOCKED, the victims among them. */
  readonly all_p99_ratio: number | null;
  /** From the end of the disturbance until p99 of all is back within 1.2 times the latter (s). */
  readonly recovered_s: number | null;
  /** Samples of all hosts with the truth within the bound. */
  readonly bound_held: number | null;
  /** Undisturbed agents that were seen in another state than LOCKED. */
  readonly left_locked: number;
  /** From the end of the disturbance: until a victim was seen DISRUPTED; until all are LOCKED (s). */
  readonly disrupted_s: number | null;
  readonly locked_again_s: number | null;
  /** The longest that a victim was unreachable or not LOCKED from then on, one by one (s). */
  readonly relock_longest_s: number | null;
  /** From the end of the disturbance until the old reference leads again (s). */
  readonly leads_again_s: number | null;
  /** Victims that told of a disk that fails. */
  readonly storage_told: number;
  readonly state_unreadable: number;
  readonly failpoints_reached: number;
  /** Runs of the real ttcs-agentq, and those that told what is true. */
  readonly agentq_runs: number;
  readonly agentq_disagreed: number;
  /** Answers a second and host while it could answer. */
  readonly polls_per_s: number | null;
}
