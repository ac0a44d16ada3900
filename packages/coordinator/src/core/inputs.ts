/**
 * What agents say is checked before it is believed: a report that no clock can produce must neither
 * stop the server nor bend the domain.
 */
import type { DomainSegment, Report, SourceLine } from "@ttcs/protocol";

/** No crystal and no kernel setting is further off (ppb). */
export const FREQ_LIMIT_PPB = 1_000_000;
/** Within a window and its neighbourhood, nothing is further from its base (ns): 10 s. */
export const NEAR_LIMIT_NS = 3e10;
/** An instant beyond this is no clock's: half of the range of 64 bits (ns), the year 2116. */
const INSTANT_LIMIT_NS = 1n << 62n;
/** The kernel's largest maxerror is 16 s; allow anything a kernel may say (ns). */
const ERROR_LIMIT_NS = 1e12;

/** A number from -limit to limit; false for what is no number. */
export const within = (value: number, limit: number): boolean => Math.abs(value) <= limit;

const isInstant = (ns: bigint): boolean => ns > -INSTANT_LIMIT_NS && ns < INSTANT_LIMIT_NS;

/** Takes away what cannot be true in a report's own lines; says what it was. */
export function cleanReport(report: Report): string[] {
  const refused: string[] = [];
  if (report.source && !isSource(report.source)) {
    delete report.source;
    refused.push("a source line that no clock can have");
  }
  if (report.line && !isSegment(report.line)) {
    delete report.line;
    refused.push("a domain line that no clock can have");
  }
  return refused;
}

function isSource(s: SourceLine): boolean {
  return (
    isInstant(s.rawNs) &&
    isInstant(s.systemUnixNs) &&
    within(s.freqPpb, FREQ_LIMIT_PPB) &&
    s.maxErrorNs >= 0 &&
    s.maxErrorNs <= ERROR_LIMIT_NS
  );
}

function isSegment(s: DomainSegment): boolean {
  return (
    isInstant(s.rawNs) &&
    isInstant(s.domainUnixNs) &&
    s.domainFractionNs >= 0 &&
    s.domainFractionNs <= 1 &&
    within(s.freqPpb, FREQ_LIMIT_PPB)
  );
}
