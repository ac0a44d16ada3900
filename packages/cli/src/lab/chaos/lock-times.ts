/** For how long a host was not LOCKED, as an outsider sees it: silence counts as not. */
import type { HostRecord } from "./types.ts";

/** A host that is asked ten times a second and says nothing for this long is away (s). */
const SILENCE_S = 1;

interface Span {
  readonly fromS: number;
  readonly toS: number;
}

/** Spans between `fromS` and `toS` in which the host was away or in another state. */
function badSpans({ nows }: HostRecord, fromS: number, toS: number): Span[] {
  const spans: { fromS: number; toS: number }[] = [];
  const add = (from: number, to: number) => {
    const last = spans.at(-1);
    if (last && last.toS === from) last.toS = to;
    else spans.push({ fromS: from, toS: to });
  };
  let lastS = fromS;
  let lastState = nows.findLast(({ atS }) => atS < fromS)?.state ?? "LOCKED";
  for (const { atS, state } of nows) {
    if (atS < fromS || atS > toS) continue;
    // Until a sample comes the one before counts; a long silence counts as bad whatever was before.
    if (lastState !== "LOCKED" || atS - lastS > SILENCE_S) add(lastS, atS);
    lastS = atS;
    lastState = state;
  }
  if (lastState !== "LOCKED" || toS - lastS > SILENCE_S) add(lastS, toS);
  return spans;
}

/** The longest such span (s), 0 without one; null when one lasts to the end. */
export function longestBad(host: HostRecord, fromS: number, toS: number): number | null {
  const spans = badSpans(host, fromS, toS);
  if (!isGoodAtEnd(host, toS)) return null;
  return Math.max(0, ...spans.map((s) => s.toS - s.fromS));
}

/** From `fromS` until the host is LOCKED and stays so (s), 0: all the time; null: not at the end. */
export function lockedAgain(host: HostRecord, fromS: number, toS: number): number | null {
  if (!isGoodAtEnd(host, toS)) return null;
  const last = badSpans(host, fromS, toS).at(-1);
  return last ? last.toS - fromS : 0;
}

function isGoodAtEnd({ nows }: HostRecord, toS: number): boolean {
  const last = nows.findLast(({ atS }) => atS <= toS);
  return last !== undefined && last.state === "LOCKED" && toS - last.atS <= SILENCE_S;
}
