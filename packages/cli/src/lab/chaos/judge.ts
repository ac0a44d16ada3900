/**
 * What the record of a deed amounts to: every figure that a bar can stand on, computed the same way
 * for every deed. Pure: the record in, figures out.
 *
 * Undisturbed hosts are those that the deed was not done to; where it was done to all the steered, all count.
 * Errors are those of steered clocks. Shares of bounds are over all hosts, the victims among them.
 */
import { COURSE_FIT_S, COURSE_SPAN_S, movedNs } from "./course.ts";
import { lockedAgain, longestBad } from "./lock-times.ts";
import type {
  DeedRecord,
  Figures,
  HostRecord,
  NowSample,
  OutsideSample,
  StatusSample,
} from "./types.ts";

/** A reference leads while it hears corrections: they come twice a second. */
const FRESH_S = 2;
/** "Back to where it was": p99 over this long (s) within this factor, looked for every second. */
const RECOVERED_OVER_S = 5;
/** Length of the stretches that a baseline is judged by (s). */
const STRETCH_S = 4;
const RECOVERED_FACTOR = 1.2;
/** Nobody may leave its course by more than this beside twice its p99 (ns): threat 9. */
const MOVED_NS = 1_000;
/** Truth is the difference of two clocks in whole nanoseconds: it may itself be off by this (ns). */
const TRUTH_NS = 1;
/** So many samples outside of their bounds are told one by one. */
const OUTSIDE_TOLD = 10;
const STORAGE = /storage|disk/i;

/** See the module head. */
export function judge(record: DeedRecord): Figures {
  const { hosts, victims, baselineS, fromS, overS, toS } = record;
  const others = hosts.filter(({ id }) => !victims.includes(id));
  const undisturbed = others.some(({ steered }) => steered) ? others : hosts;
  const hit = hosts.filter(({ id }) => victims.includes(id));
  const p99Before = p99(errors(undisturbed, baselineS, fromS));
  const worstBefore = worstP99(undisturbed, baselineS, fromS);
  const after = errors(undisturbed, fromS, toS);
  const p99After = p99(after);
  const writes = hosts.flatMap((h) => h.writes).filter((w) => w.atS >= fromS && w.atS <= toS);
  const steps = writes.filter(({ kind }) => kind === "step").map(({ value }) => value);
  const lastHits = hit.map((h) => lockedAgain(h, overS, toS));
  return {
    ...leadTimes(record, others),
    ...terms(record, undisturbed),
    ...courses(undisturbed, record, p99Before),
    steps: steps.length,
    backward_ns: Math.max(0, ...steps.map((ns) => -ns)),
    p99_before_ns: p99Before,
    p99_ns: p99After,
    max_error_ns: after.length > 0 ? Math.max(...after) : null,
    p99_before_worst_ns: worstBefore,
    p99_ratio: ratio(p99After, worstBefore),
    all_p99_ratio: ratio(
      p99(errors(hosts, fromS, toS, isLocked)),
      worstP99(hosts, baselineS, fromS),
    ),
    recovered_s: recoveredS(hosts, worstP99(hosts, baselineS, fromS), record),
    bound_held: boundHeld(hosts, fromS, toS),
    left_locked: others.filter((h) => nowsOf(h, fromS, toS).some((s) => s.state !== "LOCKED"))
      .length,
    disrupted_s: largest(hit.map((h) => firstS(statesOf(h), overS, isDisrupted))),
    locked_again_s: largest(lastHits),
    relock_longest_s: largest(hosts.map((h) => longestBad(h, fromS, toS))),
    storage_told: hit.filter((h) => statusesOf(h, fromS, toS).some(tellsOfStorage)).length,
    state_unreadable: record.unreadableStates,
    failpoints_reached: record.failpointsReached,
    agentq_runs: record.agentq.length,
    agentq_disagreed: record.agentq.filter(({ agreed }) => !agreed).length,
    polls_per_s: pollRate(others, fromS, toS),
  };
}

const nowsOf = (h: HostRecord, fromS: number, toS: number): NowSample[] =>
  h.nows.filter(({ atS }) => atS >= fromS && atS <= toS);

const statusesOf = (h: HostRecord, fromS: number, toS: number): StatusSample[] =>
  h.statuses.filter(({ atS }) => atS >= fromS && atS <= toS);

const statesOf = (h: HostRecord): { readonly atS: number; readonly state: string }[] =>
  [...h.nows, ...h.statuses].sort((a, b) => a.atS - b.atS);

const tellsOfStorage = ({ reason, alarms }: StatusSample) =>
  [reason, ...alarms].some((text) => STORAGE.test(text));

const isLocked = ({ state }: NowSample) => state === "LOCKED";
const isDisrupted = ({ state }: { readonly state: string }) => state === "DISRUPTED";

/** Seconds from `fromS` to the first sample that is `wanted`; null: there is none. */
function firstS<T extends { readonly atS: number }>(
  samples: readonly T[],
  fromS: number,
  wanted: (sample: T) => boolean,
): number | null {
  const found = samples.find((sample) => sample.atS >= fromS && wanted(sample));
  return found ? found.atS - fromS : null;
}

/** The largest; null when one is unknown or there are none. */
function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === values.length && known.length > 0 ? Math.max(...known) : null;
}

/** |true error| of the steered among these hosts (ns). */
function errors(
  hosts: readonly HostRecord[],
  fromS: number,
  toS: number,
  wanted: (sample: NowSample) => boolean = () => true,
): number[] {
  return hosts
    .filter(({ steered }) => steered)
    .flatMap((h) => nowsOf(h, fromS, toS))
    .filter(wanted)
    .flatMap(({ errorNs }) => (errorNs === null ? [] : [Math.abs(errorNs)]));
}

const ratio = (part: number | null, whole: number | null): number | null =>
  part !== null && whole ? part / whole : null;

/** By the nearest rank; null for an empty set. */
function p99(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))];
}

/** p99 of the worst stretch of a span (ns). */
function worstP99(hosts: readonly HostRecord[], fromS: number, toS: number): number | null {
  let worst: number | null = null;
  for (let atS = fromS; atS + STRETCH_S <= toS; atS += STRETCH_S) {
    const ns = p99(errors(hosts, atS, atS + STRETCH_S));
    if (ns !== null && ns > (worst ?? -1)) worst = ns;
  }
  return worst;
}

/** Who leads: it says so itself, and hears corrections. */
const leads = (s: StatusSample): boolean =>
  s.isReference && (s.correctionAgeS ?? FRESH_S) < FRESH_S;

function leadTimes({ hosts, reference, fromS, overS }: DeedRecord, others: readonly HostRecord[]) {
  const firsts = hosts
    .filter(({ id }) => id !== reference)
    .flatMap((h) => firstS(h.statuses, fromS, leads) ?? []);
  const named = (s: StatusSample) => s.reference !== null && s.reference !== reference;
  const old = hosts.find(({ id }) => id === reference);
  return {
    another_leads_s: firsts.length > 0 ? Math.min(...firsts) : null,
    all_follow_s: largest(
      others.filter(({ id }) => id !== reference).map((h) => firstS(h.statuses, fromS, named)),
    ),
    leads_again_s: old ? firstS(old.statuses, overS, leads) : null,
  };
}

function terms({ hosts, fromS, toS }: DeedRecord, undisturbed: readonly HostRecord[]) {
  const before = Math.max(
    0,
    ...hosts.flatMap((h) => h.statuses.filter((s) => s.atS < fromS).map((s) => s.term)),
  );
  const firsts = undisturbed.map((h) => firstS(h.statuses, fromS, (s) => s.term > before));
  const known = firsts.filter((s) => s !== null);
  return {
    takeover_s: known.length > 0 ? Math.min(...known) : null,
    takeover_all_s: largest(firsts),
    old_term_obeyed: hosts.reduce((sum, h) => sum + fallsOfTerm(statusesOf(h, 0, toS)), 0),
  };
}

function fallsOfTerm(statuses: readonly StatusSample[]): number {
  let falls = 0;
  let life = Number.NaN;
  let term = 0;
  for (const sample of statuses) {
    if (sample.life === life && sample.term < term) falls++;
    term = sample.life === life ? Math.max(term, sample.term) : sample.term;
    life = sample.life;
  }
  return falls;
}

function courses(undisturbed: readonly HostRecord[], record: DeedRecord, p99Ns: number | null) {
  const { baselineS, fromS, toS } = record;
  const steered = undisturbed.filter((h) => h.steered);
  const moved = (atS: number, endS: number): number[] =>
    atS - COURSE_FIT_S < baselineS ? [] : steered.map((h) => movedNs(h.apartNs, atS, endS));
  const after = moved(fromS, toS);
  return {
    moved_ns: largest(after),
    moved_least_ns: after.length > 0 ? Math.min(...after) : null,
    moved_before_ns: largest(moved(fromS - COURSE_SPAN_S, fromS)),
    moved_limit_ns: p99Ns === null ? null : MOVED_NS + 2 * p99Ns,
  };
}

/** From the end of the disturbance to the beginning of the first span that is as good as before. */
function recoveredS(
  hosts: readonly HostRecord[],
  p99BeforeNs: number | null,
  { overS, toS }: DeedRecord,
): number | null {
  if (p99BeforeNs === null) return null;
  for (let atS = overS; atS + RECOVERED_OVER_S <= toS; atS++) {
    const ns = p99(errors(hosts, atS, atS + RECOVERED_OVER_S));
    if (ns !== null && ns <= RECOVERED_FACTOR * p99BeforeNs) return atS - overS;
  }
  return null;
}

const isWithin = (errorNs: number, boundNs: number): boolean =>
  Math.abs(errorNs) <= boundNs + TRUTH_NS;

function boundHeld(hosts: readonly HostRecord[], fromS: number, toS: number): number | null {
  let bounded = 0;
  let held = 0;
  for (const { errorNs, boundNs } of hosts.flatMap((h) => nowsOf(h, fromS, toS))) {
    if (errorNs === null || boundNs === null) continue;
    bounded++;
    if (isWithin(errorNs, boundNs)) held++;
  }
  return bounded > 0 ? held / bounded : null;
}

/** The first few samples with the truth outside of the bound. */
export function outsideOf({ hosts, fromS, toS }: DeedRecord): OutsideSample[] {
  const all = hosts.flatMap((host) =>
    nowsOf(host, fromS, toS).flatMap(({ atS, state, errorNs, boundNs }) => {
      if (errorNs === null || boundNs === null || isWithin(errorNs, boundNs)) return [];
      const at_s = atS - fromS;
      return [{ host: host.id, at_s, state, true_error_ns: errorNs, bound_ns: boundNs }];
    }),
  );
  return all.sort((a, b) => a.at_s - b.at_s).slice(0, OUTSIDE_TOLD);
}

function pollRate(hosts: readonly HostRecord[], fromS: number, toS: number): number | null {
  if (hosts.length === 0) return null;
  const count = hosts.reduce((sum, h) => sum + nowsOf(h, fromS, toS).length, 0);
  return count / hosts.length / (toS - fromS);
}
