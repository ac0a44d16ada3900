/**
 * Deals neighbours to the hosts of a domain, and remembers which edges there are.
 *
 * Each deal goes over all hosts (`region-mesh.ts`) and every connected one is told its neighbours. In a large
 * domain that takes a while, so those who join at once are dealt in together. It cannot see which
 * neighbours reach each other; edges that stay silent or do not fit are for the solve.
 */
import type { Hello } from "@ttcs/protocol";
import { isSameBytes } from "@ttcs/units";
import type { Host } from "./host.ts";
import { anchorCount, type Edge, isFullMesh, pairKey } from "./mesh.ts";
import type { Body } from "./outbox.ts";
import type { KeyDealer } from "./probe-keys.ts";
import { dealRegions } from "./region-mesh.ts";

/** In a domain of so many hosts a deal takes a while: those who join at once are dealt in together, */
const LARGE_FROM = 100;
/** at most this often (ms), and less often still where there are more: what a deal costs grows. */
const DEAL_EVERY_MS = 200;
const DEAL_EVERY_MS_PER_HOST = 0.5;

/** How meshes are dealt. */
export interface DealOptions {
  /** Coded pairs per second on each directed edge. */
  readonly pairsPerSecond: number;
  /** Seed of the random part of the mesh. */
  readonly meshSeed: number;
  /** Neighbours of a host, about; absent: the mesh's own number. */
  readonly neighbours?: number;
}

/** A neighbour as a host is told of it. */
export interface NeighbourView {
  readonly host: Host;
  /** The host's greeting that the view was made from. */
  readonly hello: Hello;
  /** True: the host that is told owns the edge. */
  readonly owner: boolean;
  /** True: an anchor of the region of the host that is told. */
  readonly anchor: boolean;
}

/** True when a deal for so many hosts would hold up a round. */
export const isLargeDomain = (hostCount: number): boolean => hostCount >= LARGE_FROM;

/** True when neighbours are told the same of a host by either greeting. */
export const isSamePlace = (a: Hello, b: Hello): boolean =>
  a.probeAddress === b.probeAddress &&
  a.probePort === b.probePort &&
  a.managementAddress === b.managementAddress &&
  a.agentPort === b.agentPort &&
  a.region === b.region &&
  isSameBytes(a.certificateSha256, b.certificateSha256);

/** True when both greetings are of one run of an agent. */
export const isSameRun = (a: Hello, b: Hello): boolean => isSameBytes(a.instance, b.instance);

/** See the module head. */
export class Dealer {
  readonly #options: DealOptions;
  #edges: readonly Edge[] = [];
  #dealt: ReadonlySet<string> = new Set();
  /** The edges of each host, by its number. */
  readonly #edgesOf = new Map<number, Edge[]>();
  #hostCount = 0;
  #regionSizes: readonly number[] = [0];
  /** Place of each host's region in the last deal. */
  #placeOf: ReadonlyMap<number, number> = new Map();
  #anchors: ReadonlySet<number> = new Set();
  /** Server's monotonic time of the last deal, and whether somebody has come since (ms). */
  #dealtMs = -Infinity;
  #isDue = false;

  constructor(options: DealOptions) {
    this.#options = options;
  }

  /** The edges of the last deal, each by `pairKey`. */
  get dealt(): ReadonlySet<string> {
    return this.#dealt;
  }

  /** The edges of the last deal between two regions; before the first one, those remembered. */
  get gateways(): readonly Edge[] {
    if (this.#hostCount === 0) return this.#edges;
    return this.#edges.filter(({ a, b }) => this.#placeOf.get(a) !== this.#placeOf.get(b));
  }

  /** Goes on with the edges between regions that were remembered, as far as both ends are back. */
  fromMemory(gateways: readonly Edge[]): void {
    this.#edges = gateways;
  }

  /** Numbers of the anchors that the mesh was dealt with. */
  get anchors(): ReadonlySet<number> {
    return this.#anchors;
  }

  /** True when an edge that is of no use could be replaced by another. */
  get canRepair(): boolean {
    return this.#regionSizes.some((size) => !isFullMesh(size, this.#options.neighbours));
  }

  /** Somebody has joined a domain of `hostCount` now, or edges are to be replaced. True: deal at once. */
  noteNews(hostCount: number): boolean {
    this.#isDue = true;
    return !isLargeDomain(hostCount);
  }

  /** True when what is new has waited long enough for more. */
  isDue(nowMs: number): boolean {
    const everyMs = Math.max(DEAL_EVERY_MS, DEAL_EVERY_MS_PER_HOST * this.#hostCount);
    return this.#isDue && nowMs - this.#dealtMs >= everyMs;
  }

  /** Who is an anchor or leads has changed: deal with the next that are due. */
  noteChange(): void {
    this.#isDue = true;
  }

  /**
   * Deals the mesh anew.
   *
   * @param regions hosts of each region, best first: its reference, its anchors, then the others; the
   *   region that leads first
   * @param barred pairs that must not be dealt
   * @param isDoubted hosts that are not made anchors: their word does not count
   */
  deal(
    regions: readonly (readonly Host[])[],
    nowMs: number,
    barred?: ReadonlySet<string>,
    isDoubted: (hostNumber: number) => boolean = () => false,
  ): void {
    this.#isDue = false;
    this.#dealtMs = nowMs;
    const meshes = regions.map((hosts) => {
      const all = hosts.map((h) => h.number);
      return [...all.filter((h) => !isDoubted(h)), ...all.filter(isDoubted)];
    });
    const { meshSeed, neighbours } = this.#options;
    this.#edges = dealRegions(meshes, meshSeed, this.#edges, neighbours, barred);
    this.#dealt = new Set(this.#edges.map((e) => pairKey(e.a, e.b)));
    this.#regionSizes = meshes.map((mesh) => mesh.length);
    this.#placeOf = new Map(meshes.flatMap((mesh, r) => mesh.map((h) => [h, r] as const)));
    this.#hostCount = meshes.flat().length;
    this.#edgesOf.clear();
    for (const number of meshes.flat()) this.#edgesOf.set(number, []);
    for (const edge of this.#edges) {
      this.#edgesOf.get(edge.a)!.push(edge);
      this.#edgesOf.get(edge.b)!.push(edge);
    }
    this.#anchors = new Set(meshes.flatMap((mesh) => mesh.slice(0, anchorCount(mesh.length))));
  }

  /** True when the host was there at the last deal. */
  knows(host: Host): boolean {
    return this.#edgesOf.has(host.number);
  }

  /** The neighbours of a host in the last deal. */
  neighboursOf(host: Host, hosts: ReadonlyMap<number, Host>): NeighbourView[] {
    const mine = this.#edgesOf.get(host.number) ?? [];
    const place = this.#placeOf.get(host.number);
    return mine.map((edge) => {
      const other = hosts.get(edge.a === host.number ? edge.b : edge.a)!;
      return {
        host: other,
        hello: other.hello,
        owner: edge.owner === host.number,
        // An anchor of another region holds another line.
        anchor: this.#anchors.has(other.number) && this.#placeOf.get(other.number) === place,
      };
    });
  }

  /** What a host with these neighbours is told. */
  assignment(
    host: Host,
    views: readonly NeighbourView[],
    reference: Host | undefined,
    keys: KeyDealer | undefined,
  ): Body {
    const neighbours = views.map(({ host: other, owner, anchor }) => {
      const { probeAddress, probePort, managementAddress, agentPort } = other.hello;
      return {
        hostId: other.id,
        hostNumber: other.number,
        probeAddress,
        probePort,
        managementAddress,
        agentPort,
        owner,
        anchor,
        region: other.hello.region,
        certificateSha256: other.hello.certificateSha256,
        instance: other.hello.instance,
        ...(keys ? { sendKey: keys.keyOf(host, other), receiveKey: keys.keyOf(other, host) } : {}),
      };
    });
    const { pairsPerSecond } = this.#options;
    const referenceHost = reference?.number ?? 0;
    return { case: "assignment", value: { neighbours, pairsPerSecond, referenceHost } };
  }
}
