/**
 * The regions of a domain: who belongs to which, which one leads, and a round through both layers.
 *
 * Below, every region is solved against its own local reference as if it were alone. Above, gateways
 * tell where the local references lie against the domain's (`region-links.ts`), and each region's line
 * follows the domain's smoothly (`region-follow.ts`). A host is corrected by its region's line, so that
 * noise of the long paths moves a whole region alike or not at all.
 *
 * The region with the best host leads: its line is domain time. It leads until none of its hosts can
 * be reached; then another region's line goes on as domain time. A region whose reference has a better
 * clock_quality than the leader's takes over after it has followed for a minute; the lines agree by
 * then.
 */
import type { Dealer } from "./dealer.ts";
import type { MeshFit } from "./fits.ts";
import { connectedHosts, type Host } from "./host.ts";
import { rankHosts } from "./reference.ts";
import { Region } from "./region.ts";
import {
  type Domain,
  followDomain,
  lineBeginning,
  restsAgainst,
  secondsOf,
} from "./region-line.ts";
import { RegionLinks } from "./region-links.ts";
import { groupByRegion, namedRegion, onlyNameOf } from "./region-members.ts";
import { type RegionsMemory, regionsToMemory, whoLeads } from "./region-memory.ts";

/** A region that is gone is given this long to come back (ms): longer than a reference is. */
const HOME_GRACE_MS = 4_000;
/** A better region proves itself for this long before it leads (ms). */
const BETTER_FOR_MS = 60_000;
/** A region's line begins when its link is known to this (ns), */
const BEGIN_SIGMA_NS = 300;
/**
 * or after so many rounds with gateways, 10 s, when its rate is known to this (ppb): a line that began
 * 4 ppm off took a minute to come back. After 20 s it begins in any case.
 */
const BEGIN_ROUNDS = 20;
const BEGIN_FREQ_SIGMA_PPB = 1_000;
const BEGIN_ROUNDS_MAX = 40;

type Say = (level: "info" | "warn", text: string) => void;

/** See the module head. */
export class Regions {
  readonly #hosts: ReadonlyMap<number, Host>;
  readonly #say: Say;
  readonly #byName = new Map<string, Region>();
  readonly #regionOf = new Map<number, Region>();
  readonly #links = new RegionLinks();
  #home: Region | undefined;
  #domain: Domain | undefined;
  #homeSeenMs = Number.NaN;
  #lockedOnce = false;
  /** The region that all hosts name; undefined: they name several. */
  #onlyName: string | undefined;
  /** Rounds in which a link was known before its region's line began. */
  readonly #linkRounds = new Map<Region, number>();

  constructor(hosts: ReadonlyMap<number, Host>, say: Say) {
    this.#hosts = hosts;
    this.#say = say;
  }

  /** The region whose line is domain time. */
  get home(): Region | undefined {
    return this.#home;
  }
  get all(): Iterable<Region> {
    return this.#byName.values();
  }
  get count(): number {
    return this.#byName.size;
  }
  /** The region that leads, or the one that would begin. */
  get first(): Region | undefined {
    return this.#home ?? this.#byName.values().next().value;
  }
  get reference(): Host | undefined {
    return this.first?.leadership.reference;
  }

  /** What a coordinator that starts anew has to know. */
  toMemory = (): RegionsMemory => regionsToMemory(this.first, this.all);
  /** Who leads and who are anchors, in every region: when this changes, it is to be remembered. */
  whoLeads = (): string => whoLeads(this.first, this.all);

  /** Goes on as another coordinator left off, in every region. */
  fromMemory({ leadership, anchors, regions }: RegionsMemory, nowMs: number): void {
    this.arrange(nowMs);
    for (const { name, ...its } of regions) {
      const follower = this.#byName.get(name);
      follower?.leadership.fromMemory(its.leadership, nowMs);
      follower?.anchors.fromMemory(its.anchors);
    }
    const led = [...this.#hosts.values()].find((h) => h.id === leadership.referenceId);
    const region = (led && this.of(led)) ?? this.first;
    region?.leadership.fromMemory(leadership, nowMs);
    region?.anchors.fromMemory(anchors);
    if (!region || leadership.referenceId === "") return;
    this.#lockedOnce = true;
    this.#lead(region, nowMs, "it has led before");
  }

  /**
   * Domain time and the reference that carries it; while the region that leads has lost its reference
   * and does not know the next, as they were last.
   */
  get domain(): Domain | undefined {
    const { reference, scale } = this.#home?.leadership ?? {};
    if (reference && scale) this.#domain = { reference, scale };
    return this.#domain;
  }
  get links(): RegionLinks {
    return this.#links;
  }

  /** The region of a host. */
  of(host: Host): Region | undefined {
    return this.#regionOf.get(host.number);
  }

  /** A host has come, or come back. Where all are of one region, the others stay where they are. */
  came(host: Host, nowMs: number): void {
    const [only] = this.#byName.values();
    if (only && this.#onlyName === namedRegion(host)) this.#enter(host, only, nowMs);
    else this.arrange(nowMs);
  }

  /** Sorts hosts into their regions. Call when hosts have gone. */
  arrange(nowMs: number): void {
    this.#onlyName = onlyNameOf(this.#hosts.values());
    const groups = groupByRegion(this.#hosts.values());
    const nameOf = new Map([...groups].flatMap(([name, hosts]) => hosts.map((h) => [h, name])));
    for (const name of groups.keys()) if (!this.#byName.has(name)) this.#open(name);
    for (const host of this.#hosts.values()) {
      this.#enter(host, this.#byName.get(nameOf.get(host)!)!, nowMs);
    }
    for (const [name, region] of this.#byName) {
      for (const number of region.members.keys()) {
        if (this.#hosts.has(number) && this.#regionOf.get(number) === region) continue;
        region.members.delete(number);
        if (!this.#hosts.has(number)) this.#regionOf.delete(number);
      }
      if (!groups.has(name)) this.#byName.delete(name);
    }
    if (this.#home && !groups.has(this.#home.name)) this.#home = undefined;
  }

  /** Hosts of each region for dealing, best first; the region that leads comes first. */
  get ranked(): Host[][] {
    const regions = [...this.all].sort(
      (a, b) => Number(b === this.first) - Number(a === this.first),
    );
    return regions.map((r) => r.anchors.ranked(r.members.values(), r.leadership.reference));
  }

  /** Pairs that must not be dealt now. */
  barred(nowMs: number): ReadonlySet<string> {
    return new Set([...this.all].flatMap(({ guard }) => [...guard.barred(nowMs)]));
  }

  /** True for hosts whose word does not count now. */
  readonly isDoubted = (number: number): boolean =>
    this.#regionOf.get(number)?.guard.isDoubted(number) === true;

  /** Edges that are dealt from now on. */
  retain(dealt: ReadonlySet<string>): void {
    for (const region of this.all) region.court.retain(dealt);
    this.#links.retain(dealt);
  }

  /** Takes the source line of a host's newest report. */
  takeSource(host: Host, nowMs: number): void {
    const region = this.of(host);
    if (!region) return;
    const { reference, sources } = region.leadership;
    sources.take(host, host === reference, region.members.values(), nowMs);
  }

  /** What an operator should know of the source of domain time. */
  get alarms(): string[] {
    const { reference, sources } = this.first?.leadership ?? {};
    return reference && sources ? sources.alarms(reference) : [];
  }

  /** What all hosts are told of domain time alike. */
  ofDomain(nowMs: number) {
    const { domain, home } = this;
    if (!domain || !home) return undefined;
    const utc = home.leadership.sources.utc(domain.reference, domain.scale.pullNs, nowMs);
    return { utc, alarms: this.alarms };
  }

  /** Looks for edges that are of no use. True: deal anew. */
  repair(dealer: Dealer, nowMs: number): boolean {
    const repaired = [...this.all].map(
      ({ guard, result }) => result !== undefined && guard.repair(result, dealer, nowMs),
    );
    return repaired.includes(true);
  }

  /** A host is LOCKED. */
  noteLocked(host: Host): void {
    this.#lockedOnce = true;
    this.of(host)?.leadership.noteLocked();
  }

  /** The raw clock of a host has a new zero. */
  rebooted(host: Host, nowMs: number): void {
    this.of(host)?.leadership.rebooted(host, nowMs);
  }

  /** Sketches between rounds. */
  idle(): void {
    for (const region of this.all) region.workspace.idle();
  }

  /** True when nobody is missing in any region: a far pull of domain time may begin. */
  mayPullFar(nowMs: number): boolean {
    return [...this.all].every(({ leadership }) => leadership.mayPullFar(nowMs));
  }

  /**
   * Solves a round in both layers.
   *
   * @param anchors numbers of the hosts that meshes were dealt with as anchors
   * @returns `paced`: the region whose line tells which round it is: the one that leads, or while that
   *   is not heard another one that follows its last line; undefined: nobody can be corrected.
   *   `changed`: who leads somewhere, or is an anchor, has changed
   */
  solve(fits: readonly MeshFit[], anchors: ReadonlySet<number>, nowMs: number) {
    let changed = false;
    for (const region of this.all) {
      const own = this.count === 1 ? fits : fits.filter((fit) => this.#isInside(fit, region));
      if (region.solve(own, anchors, nowMs)) changed = true;
    }
    this.#choose(nowMs);
    const home = this.#home;
    // The region that leads comes first: others begin where its line is.
    for (const region of new Set([...(home ? [home] : []), ...this.all])) {
      region.leadership.beginsAt = region === home ? undefined : () => this.#beginning(region);
      if (region.judge(nowMs)) changed = true;
    }
    if (home?.result && this.count > 1) {
      const between = fits.filter((fit) => !this.#isInside(fit));
      this.#links.solve(home, this.all, between, this.#regionOf);
    }
    const paced = home?.result
      ? home
      : home && [...this.all].find((r) => r.result && r.rest && r.leadership.scale);
    return { paced, changed };
  }

  /** The lines of the regions that follow decide their rates ahead. Call after the domain's has. */
  follow(): void {
    const home = this.#home;
    const domain = this.domain?.scale.line();
    if (!home || !domain) return;
    for (const region of this.all) {
      if (region === home) region.rest = undefined;
      else followDomain(region, domain);
    }
  }

  /** Where the line of a region that follows begins, when its link is known well enough. */
  #beginning(region: Region) {
    const { link, result } = region;
    const domain = this.#home?.leadership.scale?.line();
    if (!link || !result || !domain || !this.#home?.result) return undefined;
    const rounds = (this.#linkRounds.get(region) ?? 0) + 1;
    this.#linkRounds.set(region, rounds);
    const atS = secondsOf(link.track, this.#home.result.atRefRawNs);
    const { offsetSigmaNs, freqSigmaPpb } = link.track.filter.predict(atS);
    const waitRounds = freqSigmaPpb > BEGIN_FREQ_SIGMA_PPB ? BEGIN_ROUNDS_MAX : BEGIN_ROUNDS;
    if (offsetSigmaNs > BEGIN_SIGMA_NS && rounds < waitRounds) return undefined;
    this.#linkRounds.delete(region);
    this.#say(
      "info",
      `region "${region.name}" follows the domain, to ${offsetSigmaNs.toFixed(0)} ns`,
    );
    const { atRefRawNs } = this.#home.result;
    return lineBeginning(link.track, domain, atRefRawNs, result.atRefRawNs);
  }

  /** True when both ends are of one region (and of this one). */
  #isInside({ owner, other }: MeshFit, region?: Region): boolean {
    const at = this.#regionOf.get(owner);
    return at === this.#regionOf.get(other) && (region === undefined || at === region);
  }

  #open(name: string): Region {
    const region = new Region(name, (level, text) =>
      this.#say(level, this.count > 1 ? `region "${name}": ${text}` : text),
    );
    this.#byName.set(name, region);
    return region;
  }

  #enter(host: Host, region: Region, nowMs: number): void {
    const before = this.#regionOf.get(host.number);
    if (before === region) return;
    if (before) {
      // Its track is against another local reference.
      before.leadership.rebooted(host, nowMs);
      before.members.delete(host.number);
      host.track = undefined;
    }
    region.members.set(host.number, host);
    this.#regionOf.set(host.number, region);
  }

  /** Chooses the region that leads; see the module head. */
  #choose(nowMs: number): void {
    const connected = connectedHosts(this.#hosts.values());
    const best = this.#regionOf.get(rankHosts(connected)[0]?.number ?? 0);
    const home = this.#home;
    if (!home || !this.#lockedOnce) {
      this.#lead(best ?? home, nowMs, "it has the best host");
      return;
    }
    if (home.steeredMs > this.#homeSeenMs) this.#homeSeenMs = home.steeredMs;
    if (nowMs - this.#homeSeenMs > HOME_GRACE_MS) {
      const heirs = [...this.all].filter((r) => r !== home && r.result && r.leadership.scale);
      const ranked = rankHosts(heirs.map((r) => r.leadership.reference!));
      const heir = ranked[0] && this.of(ranked[0]);
      if (heir) this.#lead(heir, nowMs, `nobody in region "${home.name}" can be solved for`);
      return;
    }
    const quality = home.leadership.reference?.hello.clockQuality ?? 0;
    for (const region of this.all) {
      const theirs = region.leadership.reference?.hello.clockQuality ?? 0;
      const isBetter = region !== home && theirs > quality && region.rest && region.result;
      if (!isBetter) region.betterSinceMs = Number.NaN;
      else if (Number.isNaN(region.betterSinceMs)) region.betterSinceMs = nowMs;
      else if (nowMs - region.betterSinceMs > BETTER_FOR_MS) {
        this.#lead(region, nowMs, `clock_quality ${theirs} of its reference is above ${quality}`);
        return;
      }
    }
  }

  #lead(region: Region | undefined, nowMs: number, why: string): void {
    if (!region || region === this.#home) return;
    const before = this.#home;
    // What it has followed until now knows of a pull; a region that leads first has followed nobody.
    if (before) region.leadership.scale?.lead(this.domain?.scale.excessPpb ?? 0);
    this.#home = region;
    this.#domain = undefined;
    this.#homeSeenMs = nowMs;
    region.betterSinceMs = Number.NaN;
    if (this.count > 1) this.#say("info", `region "${region.name}" leads the domain: ${why}`);
    const its = region.rest;
    region.rest = undefined;
    region.link = undefined;
    if (its) restsAgainst(region, its, before, this.all);
  }
}
