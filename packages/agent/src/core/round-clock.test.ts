import { DomainLine } from "@ttcs/discipline";
import { addNs, rawNanos, unixNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { FLUSH_DELAY_NS, RoundClock } from "./round-clock.ts";

const UNIX = unixNanos(1_795_000_000_000_000_000n);
const RAW = rawNanos(77_000_000_000n);
const FIRST = UNIX / 500_000_000n;

const line = (aheadNs: number) =>
  new DomainLine([
    { rawNs: RAW, domainUnixNs: addNs(UNIX, aheadNs), domainFractionNs: 0, freqPpb: 0 },
  ]);
const at = (ms: number) => addNs(RAW, ms * 1e6);

test("nothing closes before it is known what time it is", () => {
  expect(new RoundClock().poll(at(1_000))).toBeUndefined();
});

test("each round closes once, when its last stamps have been read out", () => {
  const rounds = new RoundClock();
  rounds.setLine(line(0));
  expect(rounds.poll(at(0))?.round).toBe(FIRST - 1n);
  expect(rounds.poll(at(FLUSH_DELAY_NS / 1e6 - 1))).toBeUndefined();
  expect(rounds.poll(at(FLUSH_DELAY_NS / 1e6))).toEqual({ round: FIRST, closeRawNs: RAW });
  expect(rounds.poll(at(519))).toBeUndefined();
  expect(rounds.poll(at(520))?.closeRawNs).toBe(at(500));
});

test("a line that moves back a little closes no round twice, one that moves far begins anew", () => {
  const rounds = new RoundClock();
  rounds.setProvisional(RAW, UNIX);
  expect(rounds.poll(at(1_030))?.round).toBe(FIRST + 2n);
  rounds.setLine(line(-60e6));
  expect(rounds.poll(at(1_040))).toBeUndefined();
  rounds.setLine(line(-3_600e9));
  expect(rounds.poll(at(1_050))?.round).toBe(FIRST - 7_198n);
});

test("no round closes before 1970: a coordinator's clock may stand there", () => {
  const rounds = new RoundClock();
  rounds.setProvisional(RAW, unixNanos(-3_000_000_000n));
  expect(rounds.poll(at(1_000))).toBeUndefined();
  expect(rounds.poll(at(4_000))?.round).toBe(1n);
});
