import { expect, test } from "vitest";
import type { Observer } from "../observer.ts";
import { LeadHistory } from "./lead-history.ts";

const S = 1_000_000_000n;

/** A host whose raw clock is the kernel's. */
const host = (id: string) =>
  ({ host: { id }, rawAt: (kernelRawNs: bigint) => kernelRawNs }) as unknown as Observer;

/** Domain time that is `aheadNs` ahead of the kernel's raw clock. */
const line = (aheadNs: number) => [
  { raw_ns: "0", domain_ns: String(aheadNs), domain_fraction_ns: 0, freq_ppb: 0 },
];

/** h1 leads with 100 ns, seen at second 10; h2 with 160 ns, seen at 20 and not yet leading at 19. */
function passed(): LeadHistory {
  const leads = new LeadHistory();
  leads.note({ by: host("h1"), line: line(100), term: 1, round: 20, seenS: 10, unsureS: 9 });
  leads.note({ by: host("h2"), line: line(160), term: 1, round: 40, seenS: 20, unsureS: 19 });
  return leads;
}

const errorNs = (leads: LeadHistory, aheadNs: number, atS: number) => {
  const kernelRawNs = BigInt(Math.round(atS * 10)) * (S / 10n);
  return leads.errorNs(kernelRawNs + BigInt(aheadNs), kernelRawNs, atS);
};

test("before anybody leads there is no domain time", () => {
  expect(errorNs(new LeadHistory(), 0, 5)).toBeNull();
});

test("the line of the host that led at an instant counts, also when it is asked for later", () => {
  expect(errorNs(passed(), 130, 15)).toBe(30);
  expect(errorNs(passed(), 130, 25)).toBe(-30);
});

test("while it is not sure who leads, the nearer line counts", () => {
  expect(errorNs(passed(), 105, 19.5)).toBe(5);
  expect(errorNs(passed(), 158, 19.5)).toBe(-2);
  // Before that only the old one.
  expect(errorNs(passed(), 158, 18.5)).toBe(58);
});

test("of two that say they lead, the one with the older correction is not believed", () => {
  const leads = passed();
  const old = { by: host("h1"), line: line(100), seenS: 21, unsureS: 20.8 };
  leads.note({ ...old, term: 1, round: 39 });
  expect(leads.reference).toBe("h2");
  leads.note({ ...old, term: 2, round: 1 });
  expect(leads.reference).toBe("h1");
});
