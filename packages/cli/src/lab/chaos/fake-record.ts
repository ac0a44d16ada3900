/** Records of deeds for tests: what a host showed, made up from few words. */
import type { DeedRecord, HostRecord, NowSample, StatusSample } from "./types.ts";

/** What a made-up host shows; each part tells it for an instant (s). */
export interface Show {
  readonly id: string;
  readonly steered?: boolean;
  /** undefined: it does not answer. */
  readonly state?: (atS: number) => string | undefined;
  readonly errorNs?: (atS: number) => number;
  readonly boundNs?: number;
  readonly term?: (atS: number) => number;
  readonly life?: (atS: number) => number;
  readonly leads?: (atS: number) => boolean;
  readonly names?: (atS: number) => string;
  readonly alarms?: readonly string[];
  readonly apartNs?: (atS: number) => number;
}

/** A host that is asked every 0.1 s from 0 to `toS`. */
export function fakeHost(show: Show, toS: number): HostRecord {
  const nows: NowSample[] = [];
  const statuses: StatusSample[] = [];
  for (let i = 0; i < toS * 10; i++) {
    const atS = i / 10;
    const state = show.state ? show.state(atS) : "LOCKED";
    if (state === undefined) continue;
    const boundNs = show.boundNs ?? 10_000;
    nows.push({ atS, state, errorNs: show.errorNs?.(atS) ?? 20, boundNs });
    statuses.push({
      atS,
      life: show.life?.(atS) ?? 1,
      state,
      reason: "",
      alarms: show.alarms ?? [],
      term: show.term?.(atS) ?? 5,
      round: i,
      isReference: show.leads?.(atS) ?? false,
      reference: show.names?.(atS) ?? "h1",
      correctionAgeS: 0.2,
    });
  }
  const apartNs = show.apartNs ?? (() => 0);
  return { id: show.id, steered: show.steered ?? true, nows, statuses, writes: [], apartNs };
}

/** A deed from second 20 to 50 that is over at once, and a host that leads to begin with. */
export function fakeRecord(shows: readonly Show[], changes: Partial<DeedRecord> = {}): DeedRecord {
  return {
    hosts: shows.map((show) => fakeHost(show, 50)),
    victims: [],
    reference: "h1",
    baselineS: 0,
    fromS: 20,
    overS: 20,
    toS: 50,
    agentq: [],
    unreadableStates: 0,
    failpointsReached: 0,
    ...changes,
  };
}
