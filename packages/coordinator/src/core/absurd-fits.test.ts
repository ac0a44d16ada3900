import { create } from "@bufbuild/protobuf";
import { EdgeBias, EdgeCourt } from "@ttcs/estimator";
import { type EdgeFit, EdgeFitSchema, HelloSchema } from "@ttcs/protocol";
import { diffNs, Prng } from "@ttcs/units";
import { expect, test } from "vitest";
import { FitBook } from "./fits.ts";
import { newHost } from "./host.ts";
import { pairKey } from "./mesh.ts";
import { RoundWorkspace } from "./round-workspace.ts";
import { solveRound } from "./solve.ts";

const HOSTS = 8;
const SEED = 3;
const HONEST_ROUNDS = 20;
type Spoil = (fit: EdgeFit) => void;

const hostOf = (number: number) =>
  newHost(number, create(HelloSchema, { hostId: `h${number}` }), number);

/** Clocks that agree, every pair of them measured with 5 ns of noise. */
function honestFit(owner: number, other: number, baseRawNs: bigint, random: Prng): EdgeFit {
  return create(EdgeFitSchema, {
    owner,
    other,
    ownerBaseRawNs: baseRawNs,
    otherBaseRawNs: baseRawNs,
    midNs: 1.75e9,
    offsetNs: 5 * random.normal(),
    freqPpb: 2 * random.normal(),
    offsetSigmaNs: 5,
    slowSigmaNs: 1,
    freqSigmaPpb: 2,
    belowBoundNs: 1e4,
    aboveBoundNs: 1e4,
    delayForwardNsMin: 1e4,
    delayReverseNsMin: 1e4,
  });
}

/** Worst offset of any host from the reference (ns), and the least number that was trusted. */
function worstWith(spoil: Spoil): { worstNs: number; trustedMin: number } {
  const random = new Prng(SEED);
  const hosts = new Map(Array.from({ length: HOSTS }, (_, i) => [i + 1, hostOf(i + 1)]));
  const pairs = [...hosts.keys()].flatMap((a) =>
    [...hosts.keys()].filter((b) => b > a).map((b) => [a, b] as const),
  );
  const dealt = new Set(pairs.map(([a, b]) => pairKey(a, b)));
  const book = new FitBook();
  const options = {
    court: new EdgeCourt(),
    bias: new EdgeBias(),
    workspace: new RoundWorkspace(),
  };
  let worstNs = 0;
  let trustedMin = HOSTS;
  for (let round = 0; round < 60; round++) {
    for (const [a, b] of pairs) {
      const fit = honestFit(a, b, BigInt(round) * 500_000_000n, random);
      if (a === 3 && b === 5 && round >= HONEST_ROUNDS) spoil(fit);
      book.take([fit], a, dealt, round * 500);
    }
    const result = solveRound(hosts.get(1)!, hosts, book.fresh(round * 500), options)!;
    if (round < HONEST_ROUNDS) continue;
    trustedMin = Math.min(trustedMin, result.trusted.size);
    for (const { track } of hosts.values()) {
      const { filter, hostZeroNs, referenceZeroNs } = track!;
      const atS = diffNs(result.atRefRawNs, referenceZeroNs) * 1e-9;
      const apartNs = Number(hostZeroNs - referenceZeroNs);
      if (track !== hosts.get(1)!.track) {
        worstNs = Math.max(worstNs, Math.abs(filter.predict(atS).offsetNs + apartNs));
      }
    }
  }
  return { worstNs, trustedMin };
}

test.each([1e5, 3e6, 1e7, 1e8, 3e9, 3e10])(
  "an edge that is off by %d ns moves nobody",
  (offsetNs) => {
    const { worstNs, trustedMin } = worstWith((fit) => {
      fit.offsetNs = offsetNs;
    });
    expect(worstNs).toBeLessThan(30);
    expect(trustedMin).toBeGreaterThanOrEqual(HOSTS - 2);
  },
);

test.each([40n, 50n, 62n])("an edge of which one zero is 2^%d ns away moves nobody", (power) => {
  const { worstNs, trustedMin } = worstWith((fit) => {
    fit.otherBaseRawNs += 1n << power;
  });
  expect(worstNs).toBeLessThan(30);
  expect(trustedMin).toBe(HOSTS);
});

test("nobody makes the stamps of another host look bad", () => {
  const { worstNs } = worstWith((fit) => {
    fit.otherCarrySigmaNs = 3e10;
  });
  expect(worstNs).toBeLessThan(30);
});
