/**
 * The plan of chaos: what is done to a laboratory, when, and what must hold meanwhile. Data only.
 *
 * Bars are what the product promises, not what this machine can show: on a busy one a figure may miss
 * its bar because all processes stand still together, which docs/lab.md says.
 */
import {
  ALL_LOCKED,
  ALWAYS,
  COAST_NS,
  CORRECTED_S,
  DISRUPTED_S,
  LEAD_S,
  OTHERS_RATIO,
  PROVING_S,
  RESTART_S,
  ROLLING_RATIO,
  TAKEOVER_S,
  UNMOVED,
  WINDOWS_S,
} from "./bars.ts";
import { killedAtFailpoints, killedOften } from "./kills.ts";
import type { Act, Deed, Target } from "./types.ts";

/** SIGTERM one after the other, each started again, `everyS` apart. */
const oneByOne = (targets: readonly Target[], everyS: number): Act[] =>
  targets.flatMap((target, i) => [
    { atS: i * everyS, do: "terminate" as const, target },
    { atS: i * everyS + 1, do: "start" as const, target },
  ]);

/** From one agent's renewal to the next (s): it is LOCKED again meanwhile. */
const AGENT_EVERY_S = 12;

const DEEDS: readonly Deed[] = [
  {
    name: "reference-returns",
    expected: "it joins as a standby and leads only after proving itself, without a step",
    needs: [],
    acts: [
      { atS: 0, do: "kill", target: "reference" },
      { atS: 15, do: "start", target: "reference" },
    ],
    watchS: 110,
    overS: 15,
    victims: ["reference"],
    bars: [
      { figure: "another_leads_s", atMost: LEAD_S },
      { figure: "locked_again_s", atMost: RESTART_S },
      { figure: "leads_again_s", atLeast: PROVING_S },
      UNMOVED,
      { figure: "max_error_ns", atMost: COAST_NS },
      ...ALWAYS,
    ],
  },
  {
    name: "agent-paused",
    expected: "it says DISRUPTED, is right again soon, and harms nobody",
    needs: [],
    acts: [
      { atS: 0, do: "pause", target: "agent:1" },
      { atS: 5, do: "resume", target: "agent:1" },
    ],
    watchS: 30,
    quickS: 13,
    overS: 5,
    victims: ["agent:1"],
    bars: [
      { figure: "disrupted_s", atMost: DISRUPTED_S },
      { figure: "locked_again_s", atMost: WINDOWS_S },
      { figure: "p99_ratio", atMost: OTHERS_RATIO },
      ALL_LOCKED,
      ...ALWAYS,
    ],
  },
  {
    name: "server-killed",
    expected: "without a standby: agents hold over; started again it goes on within seconds",
    needs: [],
    acts: [
      { atS: 0, do: "kill", target: "leader" },
      { atS: 5, do: "start", target: "leader" },
    ],
    watchS: 40,
    overS: 5,
    victims: ["agents"],
    bars: [
      { figure: "locked_again_s", atMost: RESTART_S },
      { figure: "max_error_ns", atMost: COAST_NS },
      ...ALWAYS,
    ],
  },
  {
    name: "leader-killed",
    expected: "the standby has the lease and corrects; nobody steps",
    needs: ["two-servers"],
    acts: [{ atS: 0, do: "kill", target: "leader" }],
    watchS: 60,
    quickS: 12,
    overS: 0,
    victims: ["leader"],
    bars: [
      { figure: "takeover_s", atMost: TAKEOVER_S },
      { figure: "takeover_all_s", atMost: CORRECTED_S },
      { figure: "max_error_ns", atMost: COAST_NS },
      ...ALWAYS,
    ],
  },
  {
    name: "leader-paused",
    expected: "the standby leads; what the old leader says afterwards is not obeyed",
    needs: ["two-servers"],
    acts: [
      { atS: 0, do: "pause", target: "leader" },
      { atS: 30, do: "resume", target: "leader" },
    ],
    watchS: 60,
    overS: 30,
    victims: ["leader"],
    bars: [
      { figure: "takeover_s", atMost: TAKEOVER_S },
      { figure: "takeover_all_s", atMost: CORRECTED_S },
      { figure: "max_error_ns", atMost: COAST_NS },
      ...ALWAYS,
    ],
  },
  {
    name: "database-stopped",
    expected: "no agent leaves LOCKED",
    needs: ["database"],
    acts: [
      { atS: 0, do: "database", what: "stop" },
      { atS: 60, do: "database", what: "start" },
    ],
    watchS: 75,
    overS: 60,
    victims: [],
    bars: [ALL_LOCKED, ...ALWAYS],
  },
  {
    name: "database-hung",
    expected: "no agent leaves LOCKED",
    needs: ["database"],
    acts: [
      { atS: 0, do: "database", what: "pause" },
      { atS: 60, do: "database", what: "resume" },
    ],
    watchS: 75,
    overS: 60,
    victims: [],
    bars: [ALL_LOCKED, ...ALWAYS],
  },
  {
    name: "halves-cut",
    expected: "the half without the anchors holds over; healed without a step",
    needs: ["namespaces"],
    acts: [
      { atS: 0, do: "cut", what: "halves" },
      { atS: 60, do: "heal" },
    ],
    watchS: 90,
    overS: 60,
    victims: ["agents"],
    bars: [
      { figure: "locked_again_s", atMost: WINDOWS_S },
      { figure: "recovered_s", atMost: WINDOWS_S },
      ...ALWAYS,
    ],
  },
  {
    name: "agent-cut-off",
    expected: "without its servers it holds over, alone; back by slew",
    needs: ["namespaces"],
    acts: [
      { atS: 0, do: "cut", what: "from-servers" },
      { atS: 60, do: "heal" },
    ],
    watchS: 90,
    overS: 60,
    victims: ["agent:2"],
    bars: [
      ALL_LOCKED,
      { figure: "locked_again_s", atMost: WINDOWS_S },
      { figure: "recovered_s", atMost: WINDOWS_S },
      ...ALWAYS,
    ],
  },
  {
    name: "disk-full",
    expected: "clocks do not notice; killed on a full disk the agent comes back; no broken file",
    needs: ["small-disks"],
    acts: [
      { atS: 0, do: "fill" },
      { atS: 20, do: "kill", target: "disk-agent" },
      { atS: 21, do: "start", target: "disk-agent" },
      { atS: 40, do: "free" },
    ],
    watchS: 45,
    overS: 21,
    victims: ["disk-agent"],
    bars: [
      ALL_LOCKED,
      { figure: "storage_told", atLeast: 1 },
      { figure: "state_unreadable", atMost: 0 },
      { figure: "locked_again_s", atMost: RESTART_S },
      { figure: "p99_ratio", atMost: ROLLING_RATIO },
      ...ALWAYS,
    ],
  },
  {
    name: "disk-full-long",
    expected: "ten minutes on a full disk: clocks do not notice, agents and servers stay alive",
    needs: ["small-disks"],
    acts: [
      { atS: 0, do: "fill" },
      { atS: 600, do: "free" },
    ],
    watchS: 605,
    overS: 600,
    victims: ["disk-agent"],
    bars: [
      ALL_LOCKED,
      { figure: "storage_told", atLeast: 1 },
      { figure: "state_unreadable", atMost: 0 },
      { figure: "all_p99_ratio", atMost: ROLLING_RATIO },
      ...ALWAYS,
    ],
    onlyByName: true,
  },
  killedOften,
  killedAtFailpoints,
  {
    name: "rolling-servers",
    expected: "all servers renewed one by one: no lock is lost",
    needs: ["two-servers"],
    acts: oneByOne(["server:0", "server:1"], 20),
    watchS: 45,
    overS: 21,
    victims: [],
    bars: [ALL_LOCKED, ...ALWAYS],
  },
  {
    name: "reference-killed",
    expected: "another host leads, nobody steps or leaves its course",
    needs: [],
    acts: [{ atS: 0, do: "kill", target: "reference" }],
    watchS: 30,
    quickS: 12,
    overS: 0,
    victims: ["reference"],
    bars: [
      { figure: "another_leads_s", atMost: LEAD_S },
      { figure: "all_follow_s", atMost: LEAD_S },
      UNMOVED,
      ...ALWAYS,
    ],
  },
];

const rollingAgents = (agents: number): Deed => ({
  name: "rolling-agents",
  expected: "all agents renewed one by one: each LOCKED again soon, without a step",
  needs: [],
  acts: oneByOne(
    [...Array.from({ length: agents }, (_, i) => `agent:${i}` as const), "reference"],
    AGENT_EVERY_S,
  ),
  watchS: AGENT_EVERY_S * (agents + 1) + 5,
  overS: 0,
  victims: ["agents", "reference"],
  bars: [
    { figure: "relock_longest_s", atMost: RESTART_S },
    { figure: "all_p99_ratio", atMost: ROLLING_RATIO },
    { figure: "state_unreadable", atMost: 0 },
    ...ALWAYS,
  ],
});

/**
 * All deeds in their order, for a laboratory of so many hosts. A reference that has lost the lead twice
 * proves itself for twice as long: its return comes first.
 */
export const deedsFor = (hosts: number): readonly Deed[] => [...DEEDS, rollingAgents(hosts - 1)];

/** Names of all deeds, and of those that are done unless others are asked for. */
export const DEED_NAMES: readonly string[] = deedsFor(1).map(({ name }) => name);
export const USUAL_DEED_NAMES: readonly string[] = deedsFor(1)
  .filter(({ onlyByName }) => !onlyByName)
  .map(({ name }) => name);
