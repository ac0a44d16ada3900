import { create } from "@bufbuild/protobuf";
import { HostFilter } from "@ttcs/estimator";
import { DomainSegmentSchema, HelloSchema, ReportSchema } from "@ttcs/protocol";
import { rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { heldByMost } from "./held-line.ts";
import { type Host, newHost } from "./host.ts";

const EPOCH = 1_795_000_000_000_000_000n;
const NOW_S = 1_000;
const NOW = rawNanos(BigInt(NOW_S) * 1_000_000_000n);

/** What a host reports of its line. */
interface Held {
  /** Beside domain time (ns), begun so long ago (s), pulled by so much (ppb). */
  readonly asideNs?: number;
  readonly ageS?: number;
  readonly excessPpb?: number;
  /** False: it has no line. */
  readonly has?: boolean;
}

/** A host whose raw clock runs with the reference's. */
function holder(
  number: number,
  { asideNs = 0, ageS = 0.3, excessPpb = 0, has = true }: Held,
): Host {
  const host = newHost(number, create(HelloSchema, { hostId: `h${number}` }), number);
  const rawNs = BigInt(Math.round((NOW_S - ageS) * 1e9));
  const line = create(DomainSegmentSchema, {
    rawNs,
    domainUnixNs: EPOCH + rawNs + BigInt(asideNs),
  });
  host.report = create(ReportSchema, { lineExcessPpb: excessPpb, ...(has ? { line } : {}) });
  const filter = new HostFilter();
  filter.update(0, 0, 10, 0, 10);
  const zero = rawNanos(0n);
  host.track = { hostZeroNs: zero, referenceZeroNs: zero, filter, fix: {} as never };
  return host;
}

/** Who is followed, and how far its line is beside domain time (ns). */
function followed(all: readonly Held[]) {
  const hosts = all.map((held, i) => holder(i + 1, held));
  const held = heldByMost(hosts, hosts[0], NOW);
  if (!held) return undefined;
  const asideNs = Number(held.segment.domainUnixNs - (EPOCH + NOW));
  return { id: held.holder.id, asideNs, excessPpb: held.excessPpb };
}

test("of lines that agree the best host's is taken", () => {
  expect(followed([{ asideNs: 300 }, {}, {}, {}])).toMatchObject({ id: "h1", asideNs: 300 });
});

test("a host that has started again is passed over: whose line is younger knows better", () => {
  expect(followed([{ ageS: 40, asideNs: 900 }, {}, {}])).toMatchObject({ id: "h2", asideNs: 0 });
});

test("one host alone draws nobody away, be it the best, and dates its line as it likes", () => {
  const lies: Held[] = [0.3, 0, -1, -2.9, -3_600, -1e9].flatMap((ageS) =>
    [150_000, -150_000, 1e15].map((asideNs) => ({ ageS, asideNs })),
  );
  for (const lie of lies) {
    for (const place of [0, 1, 2]) {
      const all: Held[] = [{}, {}, {}].map((h, i) => (i === place ? lie : h));
      expect(followed(all)!.asideNs, `${place} ${JSON.stringify(lie)}`).toBe(0);
    }
  }
});

test("nor does it make a pull out of nothing, or end one that most know of", () => {
  expect(followed([{ excessPpb: 9_000 }, {}, {}])!.excessPpb).toBe(0);
  const pulled = { excessPpb: 9_000 };
  expect(followed([{}, pulled, pulled])!.excessPpb).toBe(9_000);
});

test("where only one holds a line, domain time goes on from it; where nobody does, from none", () => {
  const none = { has: false };
  expect(followed([none, { asideNs: 700 }, none])).toMatchObject({ id: "h2", asideNs: 700 });
  expect(followed([none, none])).toBeUndefined();
});
