/** Faults that random schedules have found on paths that were delayed; see `found.ts`. */
import type { FoundBug } from "./found.ts";

const WAY_BACK =
  "While all traffic of a host is late one way, its line is honestly off by half of that. When the " +
  "delay ended, the way back was more than the limit on jumps, and was refused for ever. The limit " +
  "now knows how little the edges told apart when the line in force was obeyed; and a jump that most " +
  "anchors vouch for, against the line in force, is obeyed by slew.";

/** See the module head. */
export const foundOnPaths: readonly FoundBug[] = [
  {
    name: "the way back into a host that was delayed was refused for ever",
    foundBy: "ttcs simulate --swarm 1 --seed 1056 --light",
    was: WAY_BACK,
    light: true,
    schedule: {
      seed: 1056,
      hosts: 20,
      network: "lossy",
      standby: false,
      servers: 2,
      quietS: 42.7,
      endS: 72.7,
      events: [
        {
          kind: "delay",
          changes: [
            {
              kind: "delay",
              atS: 31.6,
              forS: 11.1,
              from: "all",
              to: [11],
              addNs: 667821.3350492702,
            },
          ],
          lies: [],
        },
      ],
    },
  },
  {
    name: "the way back was refused where all that left a host was late",
    foundBy: "ttcs simulate --swarm 1 --seed 1071 --light",
    was: WAY_BACK,
    light: true,
    schedule: {
      seed: 1071,
      hosts: 13,
      network: "loaded",
      standby: false,
      servers: 0,
      quietS: 37.4,
      endS: 67.4,
      events: [
        {
          kind: "delay",
          changes: [
            { kind: "delay", atS: 26, forS: 11.4, from: [7], to: "all", addNs: 907535.0132973833 },
          ],
          lies: [],
        },
      ],
    },
  },
  {
    name: "the way back was refused among few hosts that were cut off too",
    foundBy: "ttcs simulate --swarm 1 --seed 1111 --light",
    was: WAY_BACK,
    light: true,
    schedule: {
      seed: 1111,
      hosts: 6,
      network: "quiet",
      standby: false,
      servers: 0,
      quietS: 45,
      endS: 75,
      events: [
        {
          kind: "swizzle-clog",
          changes: [{ atS: 15.4, forS: 9.8, kind: "cut", from: [4], to: "all", bothWays: true }],
          lies: [],
        },
        {
          kind: "swizzle-clog",
          changes: [
            { atS: 24.8, forS: 13.5, kind: "cut", from: [0], to: "all", bothWays: true },
            { kind: "partition", atS: 26.2, forS: 7.7, hosts: [2] },
          ],
          lies: [],
        },
        {
          kind: "delay some",
          changes: [
            {
              kind: "delay",
              atS: 30.5,
              forS: 13.8,
              from: [5],
              to: [2, 3, 4],
              addNs: 953253.1938491294,
            },
          ],
          lies: [],
        },
      ],
    },
  },
  {
    name: "the way back was refused after a delay that began before the first lock",
    foundBy: "ttcs simulate --swarm 1 --seed 1277 --light",
    was: WAY_BACK,
    light: true,
    schedule: {
      seed: 1277,
      hosts: 6,
      network: "lossy",
      standby: false,
      servers: 2,
      quietS: 30.1,
      endS: 60.1,
      events: [
        {
          kind: "delay",
          changes: [
            { kind: "delay", atS: 5.8, forS: 24.3, from: [4], to: "all", addNs: 639353.3463465108 },
          ],
          lies: [],
        },
      ],
    },
  },
  {
    name: "domain time was taken from what a reference in doubt had made up",
    foundBy: "ttcs simulate --swarm 1 --seed 1201 --light",
    was:
      "A delay into the reference ended, and for 1.5 s all others contradicted it: it kept the pace that " +
      "it had learnt, 0.8 ppm off the one that it was told, and counted that into its bound. The oracle " +
      "took this for domain time, and saw it jump. Domain time is what the reference was told and obeyed.",
    light: true,
    options: { judgeEnd: false },
    schedule: {
      seed: 1201,
      hosts: 10,
      network: "lossy",
      standby: false,
      servers: 2,
      quietS: 40.5,
      endS: 44,
      events: [
        {
          kind: "partition",
          lies: [],
          changes: [
            {
              atS: 29.1,
              forS: 4.9,
              kind: "cut",
              from: [9, 1, 5, 7, 4, 8, 3, 2],
              to: [6, 0],
              bothWays: true,
            },
          ],
        },
        {
          kind: "delay",
          lies: [],
          changes: [
            {
              kind: "delay",
              atS: 18.1,
              forS: 22.3,
              from: "all",
              to: [4],
              addNs: 116418.77728480978,
            },
          ],
        },
        {
          kind: "cut one way",
          lies: [],
          changes: [
            {
              atS: 15.4,
              forS: 2.3,
              kind: "cut",
              from: [6, 0, 8, 3],
              to: [7, 9, 1, 5, 4, 2],
              bothWays: false,
            },
          ],
        },
      ],
    },
  },
  {
    name: "the lead passed over delayed paths at the moment that the sides met again",
    foundBy: "ttcs simulate --swarm 1 --seed 2141 --light",
    was:
      "No side of a partition had a majority. When they met again the reference was taken for lost " +
      "before it was solved from, and the lead passed to a host whose paths were delayed by 0.8 ms one " +
      "way: domain time went elsewhere by half of that, beyond the bound of those who held over. A " +
      "reference that a majority of the anchors joins again is first solved from.",
    light: true,
    options: { judgeEnd: false },
    schedule: {
      seed: 2141,
      hosts: 6,
      network: "quiet",
      standby: true,
      servers: 0,
      quietS: 25,
      endS: 17,
      events: [
        {
          kind: "partition",
          lies: [],
          changes: [
            {
              atS: 6.1,
              forS: 3.8,
              kind: "cut",
              from: [1, 3, 2],
              to: [4, 5, 0],
              bothWays: true,
            },
            { kind: "partition", atS: 6.1, forS: 3.8, hosts: [4, 5, 0] },
          ],
        },
        { kind: "kill", lies: [], changes: [{ kind: "kill", atS: 7.3, forS: 17.7, host: 2 }] },
        {
          kind: "delay some",
          lies: [],
          changes: [
            {
              kind: "delay",
              atS: 5.4,
              forS: 9.1,
              from: [1],
              to: [5, 0, 4],
              addNs: 774632.1535495279,
            },
          ],
        },
      ],
    },
  },
  {
    name: "the way back was forgotten when the first of the edges were sharp again",
    foundBy: "ttcs simulate --swarm 1 --seed 464 --light",
    was:
      "When a delay ended, one of two anchors contradicted the line already; it was obeyed once more, and " +
      "its way back counted as that of a sharp line. Where an anchor contradicts what is obeyed, the limit " +
      "on jumps stays as wide as it was.",
    light: true,
    schedule: {
      seed: 464,
      hosts: 13,
      network: "loaded",
      standby: true,
      servers: 2,
      quietS: 40.5,
      endS: 70.5,
      events: [
        { kind: "kill", changes: [{ kind: "kill", atS: 15.3, forS: 5, host: 8 }], lies: [] },
        {
          kind: "delay some",
          changes: [
            { kind: "delay", atS: 8.7, forS: 17.3, from: [0], to: [2], addNs: 321748.2538785099 },
          ],
          lies: [],
        },
        {
          kind: "delay",
          changes: [
            {
              kind: "delay",
              atS: 17.5,
              forS: 19.1,
              from: [10],
              to: "all",
              addNs: 751125.5322264449,
            },
          ],
          lies: [],
        },
      ],
    },
  },
  {
    name: "domain time went on from the one line that was off, for all others were FREERUN",
    foundBy: "ttcs simulate --swarm 1 --seed 955 --light",
    was:
      "All traffic into the reference was late, so every bound was half a round trip, and when the lead " +
      "passed they were beyond 1 ms. Hosts in FREERUN told no line; domain time went on from that of the " +
      "host which had lost the lead, 0.4 ms beside all others, and they refused it for ever. A line " +
      "that was corrected within the last minute is told whatever its bound.",
    light: true,
    schedule: {
      seed: 955,
      hosts: 5,
      network: "lossy",
      standby: true,
      servers: 0,
      quietS: 36,
      endS: 66,
      events: [
        {
          kind: "delay",
          changes: [
            {
              kind: "delay",
              atS: 17.9,
              forS: 15.6,
              from: "all",
              to: [0],
              addNs: 777967.4134449925,
            },
          ],
          lies: [],
        },
      ],
    },
  },
];
