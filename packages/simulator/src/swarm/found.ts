/**
 * Faults that random schedules have found, each with the smallest schedule that showed it.
 *
 * Plain data: what seeds draw changes with the vocabulary, and these shall stay. A test replays all of
 * them; to see one fail, take its mending back.
 */
import { foundOnPaths } from "./found-paths.ts";
import type { Schedule } from "./schedule.ts";
import type { TrialOptions } from "./trial.ts";

/** A fault that was found, and mended. */
export interface FoundBug {
  readonly name: string;
  /** What drew it, at the time. */
  readonly foundBy: string;
  /** What was wrong, and what was done. */
  readonly was: string;
  readonly light: boolean;
  readonly options?: Omit<TrialOptions, "light" | "open">;
  readonly schedule: Schedule;
}

/** See the module head. */
export const foundBugs: readonly FoundBug[] = [
  {
    name: "LOCKED by a correction of 12 s ago",
    foundBy: "ttcs simulate --swarm 1 --seed 17 --light",
    was:
      "An agent that had not been run told its last verdict until it looked again: LOCKED, although " +
      "its correction was old. A verdict is now judged anew when the correction has grown old since.",
    light: true,
    options: { judgeEnd: false },
    schedule: {
      seed: 17,
      hosts: 8,
      network: "lossy",
      standby: true,
      servers: 0,
      quietS: 20,
      endS: 24,
      events: [
        {
          kind: "pause",
          lies: [],
          changes: [{ kind: "pause", atS: 11.5, forS: 9, host: 0 }],
        },
      ],
    },
  },
  {
    name: "a delay that came during an absence was taken for a frequency",
    foundBy: "ttcs simulate --swarm 1 --seed 89 --light",
    was:
      "After 13 s without a measurement the host filter foresaw the offset so loosely that a path " +
      "longer by 177 us passed for a frequency of 15 ppm; the line ran out of its bound. The filter " +
      "of a host begins anew after 4 s without a fix.",
    light: true,
    options: { judgeEnd: false },
    schedule: {
      seed: 89,
      hosts: 5,
      network: "quiet",
      standby: false,
      servers: 0,
      quietS: 23.2,
      endS: 25,
      events: [
        {
          kind: "delay some",
          lies: [],
          changes: [
            {
              kind: "delay",
              atS: 19.7,
              forS: 3.5,
              from: [0, 3, 2],
              to: [4, 2, 0],
              addNs: 176534.93940733458,
            },
          ],
        },
        {
          kind: "swizzle-clog",
          lies: [],
          changes: [
            { atS: 6.7, forS: 8.3, kind: "cut", from: [1], to: "all", bothWays: true },
            { atS: 7.4, forS: 13, kind: "cut", from: [3], to: "all", bothWays: true },
          ],
        },
      ],
    },
  },
  ...foundOnPaths,
];
