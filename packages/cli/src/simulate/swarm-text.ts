/** What a swarm prints: schedules that broke a rule, and a table by kind of event. */
import {
  type Failed,
  type KindCount,
  ORACLE_RULES,
  type Schedule,
  type SwarmDone,
  type Violation,
} from "@ttcs/simulator";

/** How a swarm is called. */
export interface SwarmCall {
  readonly light: boolean;
  /** Kinds asked for; absent: the usual ones. */
  readonly kinds?: readonly string[];
}

/** Faults of one schedule that are put into words. */
const TOLD = 3;

/** The command that repeats one schedule. */
export function swarmCommand(seed: number, { light, kinds }: SwarmCall): string {
  const named = kinds ? ` --kinds ${kinds.map(quoted).join(" ")}` : "";
  return `ttcs simulate --swarm 1 --seed ${seed}${light ? " --light" : ""}${named}`;
}

const quoted = (word: string): string => (word.includes(" ") ? `"${word}"` : word);

/** One line of what went wrong, and the command that repeats it. */
export function failedLine({ seed, violations, violationCount }: Failed, call: SwarmCall): string {
  const [first] = violations;
  const more = violationCount > 1 ? ` (and ${violationCount - 1} more)` : "";
  return `seed ${seed}: ${faultText(first)}${more}; again: ${swarmCommand(seed, call)}`;
}

/** The smallest schedule that was found, a line for each event. */
export function smallestText({ schedule, smallest }: Failed): string {
  if (!smallest) return "";
  const { hosts, network, events, endS } = smallest.schedule;
  const of = `${events.length} of ${schedule.events.length} events`;
  const lines = [`    ${of}, ${hosts} hosts, ${network} links, ${endS.toFixed(0)} s:`];
  lines.push(...eventLines(smallest.schedule).map((line) => `      ${line}`));
  lines.push(...smallest.violations.slice(0, TOLD).map((v) => `      -> ${faultText(v)}`));
  return `${lines.join("\n")}\n`;
}

const faultText = (v: Violation): string =>
  `${v.rule}: ${v.host} at ${v.atS.toFixed(2)} s ${v.text}`;

const eventLines = ({ events }: Schedule): string[] =>
  events.map(({ kind, changes, lies }) =>
    [kind, ...changes.map((c) => JSON.stringify(c)), ...lies.map((l) => JSON.stringify(l))].join(
      " ",
    ),
  );

/** What all of them came to. */
export function sumSwarm(parts: readonly SwarmDone[]): SwarmDone {
  const kinds: Partial<Record<string, KindCount>> = {};
  const rules: Partial<Record<string, number>> = {};
  for (const part of parts) {
    for (const [kind, { schedules, failed, events }] of Object.entries(part.kinds)) {
      const sum = kinds[kind] ?? { schedules: 0, failed: 0, events: 0 };
      sum.schedules += schedules;
      sum.failed += failed;
      sum.events += events;
      kinds[kind] = sum;
    }
    for (const [rule, count] of Object.entries(part.rules))
      rules[rule] = (rules[rule] ?? 0) + count;
  }
  return {
    schedules: parts.reduce((sum, p) => sum + p.schedules, 0),
    simulatedS: parts.reduce((sum, p) => sum + p.simulatedS, 0),
    failed: parts.flatMap((p) => p.failed),
    kinds,
    rules,
  };
}

/** The table by kind of event, and the sum. */
export function swarmTable(sum: SwarmDone, tookS: number): string {
  const rows = Object.entries(sum.kinds).sort(([a], [b]) => (a < b ? -1 : 1));
  const line = (kind: string, ...cells: readonly (string | number)[]) =>
    `${kind.padEnd(18)}${cells.map((c) => String(c).padStart(11)).join("")}`.trimEnd();
  const lines = [line("event", "events", "schedules", "of them bad")];
  for (const [kind, { events, schedules, failed }] of rows) {
    lines.push(line(kind, events, schedules, failed));
  }
  const broken = ORACLE_RULES.filter((rule) => sum.rules[rule]);
  for (const rule of broken) lines.push(`rule "${rule}" broken in ${sum.rules[rule]} schedule(s)`);
  const each = (tookS / Math.max(1, sum.schedules)).toFixed(2);
  const speed = (sum.simulatedS / tookS).toFixed(0);
  const cost = `${sum.simulatedS.toFixed(0)} s in ${tookS.toFixed(1)} s: ${each} s each, ${speed} x real time`;
  const bad = sum.failed.length;
  lines.push(
    `${sum.schedules} schedule(s), ${cost}; ${bad === 0 ? "no rule was broken" : `${bad} broke a rule`}`,
  );
  return `${lines.join("\n")}\n`;
}
