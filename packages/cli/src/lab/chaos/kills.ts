/** Deeds that kill one agent over and over, to see what it leaves behind. */
import { type FailpointName, failpointTable } from "@ttcs/units";
import { ALL_LOCKED, ALWAYS, RESTART_S, ROLLING_RATIO } from "./bars.ts";
import type { Act, Deed } from "./types.ts";

/**
 * An agent is killed again and again (s): right after its start, while it reads and writes what must
 * survive, and later; so the time between two kills grows by a step that no timer of the agent has.
 */
const OFTEN_KILLS = 20;
const OFTEN_FIRST_S = 0.3;
const OFTEN_GROWS_S = 0.17;
const often: readonly Act[] = Array.from({ length: OFTEN_KILLS }, (_, i) => {
  const atS = i * (OFTEN_FIRST_S + 0.1) + (OFTEN_GROWS_S * i * (i - 1)) / 2;
  return [
    { atS, do: "kill" as const, target: "agent:1" as const },
    { atS: atS + 0.1, do: "start" as const, target: "agent:1" as const },
  ];
}).flat();
const OFTEN_OVER_S = often.at(-1)!.atS;

/** Killed at moments that its own timers do not know. */
export const killedOften: Deed = {
  name: "agent-killed-often",
  expected: "killed at twenty moments of its life, what it left can always be read",
  needs: [],
  acts: often,
  watchS: OFTEN_OVER_S + 15,
  overS: OFTEN_OVER_S,
  victims: ["agent:1"],
  bars: [
    ALL_LOCKED,
    { figure: "state_unreadable", atMost: 0 },
    { figure: "locked_again_s", atMost: RESTART_S },
    { figure: "p99_ratio", atMost: ROLLING_RATIO },
    ...ALWAYS,
  ],
};

/** A life with a failpoint lasts this long (s) unless it gets there; then it is asked to end. */
const DOOMED_S = 8;
/** From one such life to the next (s): time to be LOCKED in between. */
const DOOMED_EVERY_S = DOOMED_S + RESTART_S + 2;
/** So many agents go through their shares of the places at the same time. */
const DOOMED_AGENTS = 3;
/** Some places are not passed in an ordinary life: nobody steps a clock that was LOCKED before. */
const NOT_PASSED = 6;

const places = (Object.keys(failpointTable) as FailpointName[]).filter((name) =>
  name.startsWith("agent."),
);
const DOOMED_LIVES = Math.ceil(places.length / DOOMED_AGENTS);

const doomed = (failpoint: FailpointName, i: number): Act[] => {
  const target = `agent:${1 + (i % DOOMED_AGENTS)}` as const;
  const atS = Math.floor(i / DOOMED_AGENTS) * DOOMED_EVERY_S;
  return [
    { atS, do: "kill", target },
    { atS: atS + 0.1, do: "start", target, failpoint },
    { atS: atS + DOOMED_S - 0.5, do: "terminate", target },
    { atS: atS + DOOMED_S, do: "kill", target },
    { atS: atS + DOOMED_S + 0.1, do: "start", target },
  ];
};

/** Killed at every place of its shell that has a name. */
export const killedAtFailpoints: Deed = {
  name: "agent-failpoints",
  expected: "killed at every named place, what it left can be read and it is LOCKED again soon",
  needs: [],
  acts: places.flatMap(doomed).sort((a, b) => a.atS - b.atS),
  watchS: DOOMED_LIVES * DOOMED_EVERY_S + 2,
  overS: (DOOMED_LIVES - 1) * DOOMED_EVERY_S + DOOMED_S,
  victims: Array.from({ length: DOOMED_AGENTS }, (_, i) => `agent:${1 + i}` as const),
  bars: [
    ALL_LOCKED,
    { figure: "failpoints_reached", atLeast: places.length - NOT_PASSED },
    { figure: "state_unreadable", atMost: 0 },
    // The life with the failpoint is part of the time without a lock.
    { figure: "relock_longest_s", atMost: DOOMED_S + RESTART_S },
    ...ALWAYS,
  ],
};
