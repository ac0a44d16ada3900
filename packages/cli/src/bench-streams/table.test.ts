import { expect, test } from "vitest";
import type { Measured, StreamsResult } from "./run.ts";
import { missedLimits } from "./table.ts";

const spread = (p99: number) => ({ p50: 1, p99, max: 2 * p99 });
const measured = (jitterMs: number, memoryMb: number): Measured => ({
  stretch: {
    afterCloseMs: spread(200),
    jitterMs: spread(jitterMs),
    ownJitterMs: spread(1),
    leftMs: spread(70),
    sinceLeftJitterMs: spread(1),
    corrections: 1_000,
    missedShare: 0,
    errorNs: spread(20),
    outsideBound: 0,
    untrusted: 0,
    lostStreams: 0,
    refusals: [],
  },
  use: { cpu: 0.3, coreMsPerRound: 40, memoryMb, othersCpu: 0, agentsCpu: 0.3 },
});
const good: StreamsResult = {
  enrolledAfterS: 7,
  joinedAfterS: 5,
  calm: measured(40, 400),
  stalled: { ...measured(43, 450), endedAfterS: 13, logLines: 5 },
  restart: { listeningAfterS: 0.5, backAfterS: 9, halfBackAfterS: 4, servedCount: 1_000 },
};

test("a run within all limits misses none", () => {
  expect(missedLimits(good)).toEqual([]);
});

test("every limit that is missed is named, also one that was never reached", () => {
  const cases: [Partial<StreamsResult>, string][] = [
    [{ joinedAfterS: Number.NaN }, "all served after the start: never"],
    [{ calm: measured(51, 400) }, "jitter of corrections"],
    [{ stalled: { ...good.stalled!, ...measured(45, 450) } }, "jitter beside stalled"],
    [{ stalled: { ...good.stalled!, ...measured(43, 501) } }, "memory for stalled"],
    [{ stalled: { ...good.stalled!, endedAfterS: 31 } }, "stalled readers ended"],
    [{ stalled: { ...good.stalled!, logLines: 0 } }, "log lines"],
    [{ restart: { ...good.restart!, backAfterS: 21 } }, "all back after a restart"],
  ];
  for (const [change, words] of cases) {
    expect(missedLimits({ ...good, ...change })[0]).toContain(words);
  }
});
