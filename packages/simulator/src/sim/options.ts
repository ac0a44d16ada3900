/** What a simulated world is made of, and the defaults that a scenario differs from. */
import type { Change } from "./changes.ts";
import type { CrystalSpec } from "./crystal.ts";
import type { Lie } from "./lies.ts";
import type { LinkSpec } from "./link.ts";
import type { StampSpec } from "./stamper.ts";

/** A world. All of it is plain data. */
export interface SimOptions {
  readonly seed: number;
  readonly hosts: number;
  /** Neighbours that each host is dealt; absent: as the coordinator sees fit. */
  readonly neighbours?: number;
  /** Coded pairs a second on each directed edge, and the time between a pair's two probes (ns). */
  readonly pairsPerSecond: number;
  readonly spacingNs: number;
  /** Time between two batches of a host (ns), and clock readings in each. */
  readonly batchNs: number;
  readonly triplesPerBatch: number;
  /** All hosts' batches end at this phase of the batch time (ns); absent: each has its own. */
  readonly batchPhaseNs?: number;
  readonly crystal: CrystalSpec;
  /** System clocks are off by up to this at the start, both ways (ns). */
  readonly systemErrorNs: number;
  readonly stamps: StampSpec;
  readonly link: LinkSpec;
  /** Hosts are dealt to so many regions in turn; links between two are `wan` (where it is given). */
  readonly regions: number;
  readonly wan?: LinkSpec;
  /** One-way time of a message beyond the link's own delay (ns). */
  readonly messageNs: number;
  /** Host 0 is the reference and has a time daemon of its own. Host 1 stands by when this is set. */
  readonly standby: boolean;
  /** So many hosts, from host 0 on, have a time daemon of their own (1 and more). */
  readonly sources: number;
  /** So many servers share one database, and one of them leads; 0: one server without a lease. */
  readonly servers: number;
  readonly changes: readonly Change[];
  readonly lies: readonly Lie[];
}

/** A quiet network of machines with stamps of network cards. */
export const defaultSim: SimOptions = {
  seed: 1,
  hosts: 10,
  pairsPerSecond: 50,
  spacingNs: 10_000,
  batchNs: 50e6,
  triplesPerBatch: 6,
  crystal: {
    freqPpbMax: 20_000,
    wanderPpbMin: 1,
    wanderPpbMax: 10,
    swingPpb: 1_000,
    swingPeriodSMin: 3_600,
    swingPeriodSMax: 3_600,
  },
  systemErrorNs: 5e6,
  stamps: {
    sigmaNs: 10,
    lateNs: 0,
    early: { share: 0, nsMin: 50, nsMax: 500 },
    slotNs: 0,
    slotOf: "sent",
  },
  link: {
    baseNs: 10_000,
    baseSpread: 0.2,
    routeNs: 0,
    hops: [],
    loss: 0,
    asymmetry: { share: 0, nsMin: 0, nsMax: 0 },
  },
  regions: 1,
  messageNs: 1e6,
  standby: false,
  sources: 1,
  servers: 0,
  changes: [],
  lies: [],
};

/** What a scenario says: any part of a world, groups part by part. */
export type SimChanges = {
  readonly [K in keyof SimOptions]?: K extends "crystal" | "stamps" | "link" | "wan"
    ? Partial<NonNullable<SimOptions[K]>>
    : SimOptions[K];
};

/** The defaults with some things changed. */
export function simOptions(...changes: readonly SimChanges[]): SimOptions {
  let out = defaultSim;
  for (const c of changes) {
    out = {
      ...out,
      ...c,
      crystal: { ...out.crystal, ...c.crystal },
      stamps: { ...out.stamps, ...c.stamps },
      link: { ...out.link, ...c.link },
      ...(c.wan || out.wan ? { wan: { ...out.link, ...out.wan, ...c.wan } } : {}),
    } as SimOptions;
  }
  return out;
}

/** How the coordinator's core is set up in a world. */
export function domainOptions({ neighbours, pairsPerSecond, seed }: SimOptions) {
  const dealt = neighbours === undefined ? {} : { neighbours };
  return { domain: "default", pairsPerSecond, meshSeed: seed, ...dealt };
}
