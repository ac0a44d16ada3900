/**
 * The vocabulary of failures: how each kind is drawn.
 *
 * A kind becomes one or several changes of the world. What cannot happen twice at once to one host
 * (to be off, paused, bent by another hand) is drawn for spans that do not overlap.
 */
import type { Prng } from "@ttcs/units";
import type { Change } from "../sim/changes.ts";
import type { Lie } from "../sim/lies.ts";
import type { FailureEvent } from "./schedule.ts";

/** What events are drawn for. */
export interface Stretch {
  readonly random: Prng;
  readonly hosts: number;
  /** Servers that share a database; 0: one without a lease. */
  readonly servers: number;
  readonly fromS: number;
  readonly untilS: number;
  /** Spans taken, by what they are taken of. */
  readonly busy: Map<string, [number, number][]>;
}

interface Draft {
  readonly changes: readonly Change[];
  readonly lies?: readonly Lie[];
}

/** Host 0 is the reference. */
const REFERENCE = 0;
const TRIES = 20;
/** One liar among fewer than these is a good part of the mesh. */
const LIARS_HOSTS_MIN = 8;

const kinds = {
  /** Nothing passes between some hosts and all others. */
  cut: (s) => change(s, (span) => ({ ...span, ...cutOf(some(s, 3), "all", true) })),
  "cut one way": (s) =>
    change(s, (span) => {
      const [from, to] = split(s);
      return { ...span, ...cutOf(from, to, false) };
    }),
  /** One host hears all and is heard by nobody, or the other way round. */
  "half deaf": (s) =>
    change(s, (span) => {
      const one = [host(s)];
      const deaf = s.random.uniform() < 0.5;
      return { ...span, ...cutOf(deaf ? "all" : one, deaf ? one : "all", false) };
    }),
  /** Some hosts cannot reach the coordinator; they reach each other. */
  "no coordinator": (s) => change(s, (span) => ({ kind: "partition", ...span, hosts: some(s, 4) })),
  /** The network falls into two; the coordinator is on the first one's side. */
  partition: (s) => {
    const [a, b] = split(s);
    const at = span(s, 3, 25);
    return {
      changes: [
        { ...at, ...cutOf(a, b, true) },
        { kind: "partition", ...at, hosts: b },
      ],
    };
  },
  "coordinator dies": (s) => {
    if (s.servers > 0) return { changes: [] };
    const at = free(s, "coordinator", 1, 20);
    return { changes: at ? [{ kind: "coordinator", ...at }] : [] };
  },
  /** A server is stopped, mostly the one that leads, and goes on with what has piled up. */
  "server stop": (s) => onServer(s, (at, server) => ({ kind: "server stop", ...at, server })),
  "server kill": (s) => onServer(s, (at, server) => ({ kind: "server kill", ...at, server })),
  "database gone": (s) => onDatabase(s, (at) => ({ kind: "database gone", ...at })),
  "database slow": (s) =>
    onDatabase(s, (at) => {
      return { kind: "database slow", ...at, latencyS: s.random.between(0.05, 2) };
    }),
  "database unreachable": (s) =>
    onServer(s, (at, server) => ({ kind: "database unreachable", ...at, server }), "reach of"),
  pause: (s) => onHost(s, host(s), 0.5, 25, (at, host) => ({ kind: "pause", ...at, host })),
  kill: (s) => onHost(s, other(s), 0.5, 25, (at, host) => ({ kind: "kill", ...at, host })),
  /** Up to a third of the agents at once. */
  "kill several": (s) => killOf(s, Math.max(1, Math.floor(s.hosts / 3))),
  /** So many that nobody whom the coordinator reaches may remember domain time. */
  "kill most": (s) => killOf(s, s.hosts),
  "reference dies": (s) =>
    onHost(s, REFERENCE, 0.5, 30, (at, host) => ({ kind: "kill", ...at, host })),
  reboot: (s) =>
    onHost(s, host(s), 4, 20, (at, host) => {
      const errorNs = s.random.between(-1e9, 1e9);
      return { kind: "reboot", ...at, host, errorNs };
    }),
  "foreign step": (s) => {
    const stepNs = s.random.between(-300e3, 300e3);
    const [atS, index] = [instant(s), host(s)];
    if (!take(s, `host ${index}`, { atS, forS: 1 })) return { changes: [] };
    return { changes: [{ kind: "step", atS, host: index, stepNs }] };
  },
  "foreign slew": (s) =>
    onHost(s, host(s), 1, 10, (at, host) => {
      return { kind: "slew", ...at, host, ppb: s.random.between(-100_000, 100_000) };
    }),
  /** All that comes into one host, or goes out of it, is late. */
  delay: (s) =>
    change(s, (span) => {
      const one = [host(s)];
      const into = s.random.uniform() < 0.5;
      const addNs = 10 ** s.random.between(3, 6);
      return { kind: "delay", ...span, from: into ? "all" : one, to: into ? one : "all", addNs };
    }),
  "delay some": (s) =>
    change(s, (span) => {
      const addNs = 10 ** s.random.between(3, 6);
      return { kind: "delay", ...span, from: some(s, 3), to: some(s, 3), addNs };
    }),
  /** Some paths change at once, each direction for itself. */
  reroute: (s) => rerouteOf(s, s.random.between(0.05, 0.3), 10 ** s.random.between(2, 4)),
  /** Most paths change at once: few loops are left that agree. */
  "reroute most": (s) => rerouteOf(s, s.random.between(0.3, 1), 10 ** s.random.between(2, 5)),
  /** A host lies to a few, among many, about when its probes left. */
  liar: (s) => (s.hosts < LIARS_HOSTS_MIN ? { changes: [] } : liarOf(s)),
  /** The same among so few that it is a good part of the mesh. */
  "liar among few": (s) => (s.hosts < LIARS_HOSTS_MIN ? liarOf(s) : { changes: [] }),
  /** Hosts are cut off one by one, and come back in another order. */
  "swizzle-clog": (s) => {
    const chosen = shuffled(s, Math.max(2, Math.floor(s.hosts / 2)));
    const { fromS, untilS, random } = s;
    const beginS = random.between(fromS, untilS - 16);
    return {
      changes: chosen.flatMap((index, i): Change[] => {
        const at = { atS: tenth(beginS + i * 0.7), forS: tenth(random.between(6, 15)) };
        const clog: Change = { ...at, ...cutOf([index], "all", true) };
        return random.uniform() < 0.5
          ? [clog]
          : [clog, { kind: "partition", ...at, hosts: [index] }];
      }),
    };
  },
} satisfies Record<string, (s: Stretch) => Draft>;

/** What can go wrong. */
export type EventKind = keyof typeof kinds;

/** All kinds, but for those that are named. */
export const eventKinds = (without: readonly EventKind[] = []): EventKind[] =>
  (Object.keys(kinds) as EventKind[]).filter((kind) => !without.includes(kind));

/** Kinds that no promise covers yet; see docs/simulator.md. */
const NOT_USUAL: readonly EventKind[] = ["reroute most", "liar among few", "kill most"];

/** Kinds that are drawn unless others are asked for. */
export const usualKinds = (): EventKind[] => eventKinds(NOT_USUAL);

export const isEventKind = (word: string): word is EventKind => word in kinds;

/** Draws an event of a kind. */
export function drawEvent(kind: EventKind, stretch: Stretch): FailureEvent {
  const { changes, lies = [] }: Draft = kinds[kind](stretch);
  return { kind, changes, lies };
}

function onServer(
  s: Stretch,
  make: (span: Span, server: number) => Change,
  what = "server",
): Draft {
  const server = Math.floor(s.servers * s.random.uniform() ** 2);
  if (s.servers === 0) return { changes: [] };
  const at = free(s, `${what} ${server}`, 0.2, 25);
  return { changes: at ? [make(at, server)] : [] };
}

function onDatabase(s: Stretch, make: (span: Span) => Change): Draft {
  const at = s.servers > 0 ? free(s, "database", 0.5, 40) : undefined;
  return { changes: at ? [make(at)] : [] };
}

function killOf(s: Stretch, most: number): Draft {
  const at = span(s, 0.5, 10);
  const changes = some(s, most).flatMap((host) =>
    take(s, `host ${host}`, at) ? [{ kind: "kill", ...at, host } as const] : [],
  );
  return { changes };
}

function rerouteOf(s: Stretch, share: number, addNs: number): Draft {
  return { changes: [{ kind: "reroute", atS: instant(s), share, addNs }] };
}

function liarOf(s: Stretch): Draft {
  const atS = instant(s);
  const shiftNs = (s.random.uniform() < 0.5 ? -1 : 1) * 10 ** s.random.between(2.5, 4.5);
  const index = other(s);
  const to = some(s, 3).filter((i) => i !== index);
  if (!take(s, "liar", { atS, forS: 1e3 })) return { changes: [] };
  const lie: Lie = { host: index, stamps: true, atS, shiftNs, growthNsPerS: 0, to };
  return { changes: [], lies: [lie] };
}

interface Span {
  readonly atS: number;
  readonly forS: number;
}

const tenth = (s: number): number => Math.round(10 * s) / 10;
const host = ({ random, hosts }: Stretch): number => Math.floor(hosts * random.uniform());
const other = ({ random, hosts }: Stretch): number =>
  1 + Math.floor((hosts - 1) * random.uniform());
const instant = ({ random, fromS, untilS }: Stretch): number =>
  tenth(random.between(fromS, untilS));

/** A span within the stretch; short ones as often as long ones, decade by decade. */
function span({ random, fromS, untilS }: Stretch, shortestS: number, longestS: number): Span {
  const longS = Math.min(longestS, untilS - fromS);
  const forS = shortestS * (longS / shortestS) ** random.uniform();
  return { atS: tenth(random.between(fromS, untilS - forS)), forS: tenth(forS) };
}

/** A span in which nothing else of the kind happens; undefined: none was found. */
function free(s: Stretch, what: string, shortestS: number, longestS: number): Span | undefined {
  for (let i = 0; i < TRIES; i++) {
    const at = span(s, shortestS, longestS);
    if (take(s, what, at)) return at;
  }
  return undefined;
}

function take({ busy }: Stretch, what: string, { atS, forS }: Span): boolean {
  const taken = busy.get(what) ?? [];
  if (taken.some(([from, to]) => atS <= to && atS + forS >= from)) return false;
  busy.set(what, [...taken, [atS, atS + forS]]);
  return true;
}

const change = (s: Stretch, make: (span: Span) => Change): Draft => ({
  changes: [make(span(s, 1, 25))],
});

function onHost(
  s: Stretch,
  index: number,
  shortestS: number,
  longestS: number,
  make: (span: Span, host: number) => Change,
): Draft {
  const at = free(s, `host ${index}`, shortestS, longestS);
  return { changes: at ? [make(at, index)] : [] };
}

function shuffled({ random, hosts }: Stretch, count: number): number[] {
  const all = Array.from({ length: hosts }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor((hosts - i) * random.uniform());
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all.slice(0, count);
}

/** One to `most` hosts. */
const some = (s: Stretch, most: number): number[] =>
  shuffled(s, 1 + Math.floor(most * s.random.uniform()));

/** All hosts in two parts, of two at least. */
function split(s: Stretch): [number[], number[]] {
  const all = shuffled(s, s.hosts);
  const at = 2 + Math.floor((s.hosts - 3) * s.random.uniform());
  return [all.slice(0, at), all.slice(at)];
}

type Hosts = readonly number[] | "all";
const cutOf = (from: Hosts, to: Hosts, bothWays: boolean) =>
  ({ kind: "cut", from, to, bothWays }) as const;
