/**
 * An agent that speaks the coordinator's protocol and does nothing else: no probes, no clock.
 *
 * Its stream is the shipped link, so that reconnecting is what agents do. It says Hello, learns its
 * edges, reports a fit for each that it owns, and holds every correction against the truth.
 *
 * Hundreds of them share a process, where real ones have a machine each: one that composed its report or
 * looked into its correction while others wait would make those late, and the coordinator would seem to
 * be. So reports are prepared before the round has closed, and of a correction only the instant is noted
 * when it comes; it is looked at later.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CoordinatorLink, type TlsIdentity, toSegment } from "@ttcs/agent";
import { DomainLine } from "@ttcs/discipline";
import {
  type AgentMessage,
  AgentMessageSchema,
  type Assignment,
  type CoordinatorMessage,
  type Correction,
  type EdgeFitSchema,
  HostState,
} from "@ttcs/protocol";
import { ROUND_NS, rawNanos } from "@ttcs/units";
import { EdgeSource, type FleetClocks, reportDelayNs } from "./clocks.ts";

/** A host is LOCKED after so many trusted corrections in a row. */
const TRUSTED_FOR_LOCK = 3;
/** The first host has the best clock and a source. */
const REFERENCE = 0;
const SOURCE_ERROR_NS = 5e6;

/** What an agent tells of a correction. */
export interface Arrival {
  /** True time of its arrival and of its window's close (ns). */
  readonly arrivedNs: number;
  readonly closeNs: number;
  /** Domain time by it, minus the truth, at the window's close (ns). */
  readonly errorNs: number;
  readonly boundNs: number;
  readonly trusted: boolean;
  readonly term: bigint;
  /** The host leads: domain time is its own clock, and there is nothing to be off by. */
  readonly isReference: boolean;
  /** Number of the round that closed then. */
  readonly round: number;
}

/** What an agent tells its process. */
export interface AgentEvents {
  /** A correction has come, and waits to be read. */
  onMail(): void;
  onCorrection(host: number, arrival: Arrival): void;
  /** The stream has ended. */
  onLost(host: number): void;
  /** The server's clock at a welcome (Unix ns): rounds count by it before the first correction. */
  onServerTime(unixNs: bigint): void;
  onRefusal(reason: string): void;
}

/** A correction that has come and was not looked at yet. */
interface Unread {
  /** True time of its arrival (ns). */
  readonly arrivedNs: number;
  readonly correction: Correction;
  readonly term: bigint;
}

/**
 * What a host that means harm does: it has the best clock of all, as it says, behaves for a while, and
 * then tells half of its neighbours to be ahead of it and the other half to be behind.
 */
export interface Lie {
  readonly ns: number;
  /** For so long after its greeting it behaves (ns). */
  readonly afterNs: number;
}

interface Edge {
  readonly source: EdgeSource;
  readonly other: number;
}

export const hostIdOf = (host: number): string => `stream-${host}`;
const hostOf = (id: string): number => Number(id.slice("stream-".length));

/** See the module head. */
export class ProtocolAgent {
  readonly host: number;
  readonly #seed: number;
  readonly #clocks: FleetClocks;
  readonly #events: AgentEvents;
  readonly #lie: Lie | undefined;
  /** True time from which on it lies (ns). */
  #lieFromNs = Infinity;
  #link: CoordinatorLink | undefined;
  #edges: readonly Edge[] = [];
  #number = 0;
  #term = 0n;
  readonly #unread: Unread[] = [];
  #prepared: AgentMessage | undefined;
  #line: DomainLine | undefined;
  #trustedCount = 0;
  #errorNs = 0;
  #boundNs = 0;
  /** From a round's close to this host's report (ns). */
  reportDelayNs: number;

  constructor(host: number, seed: number, clocks: FleetClocks, events: AgentEvents, lie?: Lie) {
    this.#lie = lie;
    this.host = host;
    this.#seed = seed;
    this.#clocks = clocks;
    this.#events = events;
    this.reportDelayNs = reportDelayNs(seed, host, []);
  }

  open(address: string, identity: TlsIdentity): void {
    this.#link = new CoordinatorLink([address], identity, {
      onOpen: () => this.#hello(),
      onMessage: (message) => this.#hear(message),
      onClose: () => {
        this.#number = 0;
        this.#prepared = undefined;
        this.#trustedCount = 0;
        this.#events.onLost(this.host);
      },
    });
    this.#link.open();
  }

  close(): void {
    this.#link?.close();
  }

  /** The domain line that this host holds. */
  get line(): DomainLine | undefined {
    return this.#line;
  }

  /** Composes the report of the round that will close at `closeNs` of true time. */
  prepare(round: bigint, closeNs: number): void {
    if (this.#number > 0) this.#prepared = this.#compose(round, closeNs);
  }

  /** Reports the round that closed at `closeNs` of true time. */
  report(round: bigint, closeNs: number): void {
    if (this.#number === 0) return;
    const prepared = this.#prepared;
    this.#prepared = undefined;
    const isOfRound = prepared?.header?.round === round;
    this.#link?.send(isOfRound ? prepared : this.#compose(round, closeNs));
  }

  /** Looks at the corrections that have come. */
  read(): void {
    for (const unread of this.#unread.splice(0)) this.#take(unread);
  }

  #compose(round: bigint, closeNs: number): AgentMessage {
    const rawNs = this.#clocks.rawAt(this.host, closeNs);
    const steered = this.host !== REFERENCE;
    const last = this.#line?.last;
    const locked = this.#trustedCount >= TRUSTED_FOR_LOCK;
    return this.#message(round, {
      case: "report",
      value: {
        fits: this.#edges.map((edge) => this.#fit(edge, closeNs)),
        source: {
          rawNs,
          systemUnixNs: this.#clocks.unixAt(closeNs),
          freqPpb: this.#clocks.sourceFreqPpb(this.host),
          maxErrorNs: SOURCE_ERROR_NS,
          synchronised: !steered,
          steered,
        },
        state: locked ? HostState.LOCKED : HostState.ACQUIRING,
        reason: locked ? "" : "waiting for trusted rounds",
        offsetNs: this.#errorNs,
        boundNs: this.#boundNs,
        ...(last ? { line: last } : {}),
      },
    });
  }

  #fit({ source, other }: Edge, closeNs: number): MessageInitShape<typeof EdgeFitSchema> {
    const fit = source.fit(closeNs, this.#number, other);
    if (!this.#lie || closeNs < this.#lieFromNs) return fit;
    return { ...fit, offsetNs: fit.offsetNs! + (other % 2 === 0 ? 1 : -1) * this.#lie.ns };
  }

  #hello(): void {
    if (this.#lie) this.#lieFromNs = this.#clocks.nowNs() + this.#lie.afterNs;
    const [high, low] = [this.host >> 8, this.host & 255];
    const hello = this.#message(0n, {
      case: "hello",
      value: {
        hostId: hostIdOf(this.host),
        clockQuality: this.host === REFERENCE || this.#lie ? 10 : 1,
        correctClock: this.host !== REFERENCE,
        probeAddress: `10.200.${high}.${low}`,
        probePort: 319,
        managementAddress: `10.200.${high}.${low}`,
        agentPort: 6171,
        softwareVersion: "bench",
        bootId: "bench",
      },
    });
    this.#link?.send(hello);
  }

  #message(
    round: bigint,
    body: NonNullable<MessageInitShape<typeof AgentMessageSchema>["body"]>,
  ): AgentMessage {
    const header = { domain: "default", term: this.#term, round };
    return create(AgentMessageSchema, { header, body });
  }

  #hear({ header, body }: CoordinatorMessage): void {
    if (header !== undefined && header.term > this.#term) this.#term = header.term;
    if (body.case === "welcome") {
      this.#number = body.value.hostNumber;
      this.#events.onServerTime(body.value.serverUnixNs);
    } else if (body.case === "assignment") this.#assign(body.value);
    else if (body.case === "correction") {
      const arrivedNs = this.#clocks.nowNs();
      this.#unread.push({ arrivedNs, correction: body.value, term: header?.term ?? 0n });
      this.#events.onMail();
    } else if (body.case === "refusal") this.#events.onRefusal(body.value.reason);
  }

  #assign({ neighbours }: Assignment): void {
    this.#prepared = undefined;
    const owned = neighbours.filter((n) => n.owner);
    this.#edges = owned.map((n) => {
      const other = hostOf(n.hostId);
      const source = new EdgeSource(this.#clocks, this.#seed, this.host, other);
      return { source, other: n.hostNumber };
    });
    const others = owned.map((n) => hostOf(n.hostId));
    this.reportDelayNs = reportDelayNs(this.#seed, this.host, others);
  }

  #take({ arrivedNs, correction, term }: Unread): void {
    const line = new DomainLine(correction.segments.map(toSegment));
    this.#line = line;
    this.#trustedCount = correction.trusted ? this.#trustedCount + 1 : 0;
    const closeNs = this.#clocks.trueAt(this.host, correction.windowCloseRawNs);
    const at = line.at(rawNanos(correction.windowCloseRawNs));
    // The source is the truth, and the coordinator says how far domain time is from it.
    const trueUnixNs = this.#clocks.unixAt(Math.round(closeNs));
    const errorNs = Number(at.unixNs - trueUnixNs) + at.fractionNs - correction.referencePullNs;
    this.#errorNs = errorNs;
    this.#boundNs = correction.boundNs;
    const { boundNs, trusted, isReference } = correction;
    const round = Number((at.unixNs + BigInt(ROUND_NS / 2)) / BigInt(ROUND_NS));
    const arrival = { arrivedNs, closeNs, errorNs, boundNs, trusted, term, round, isReference };
    this.#events.onCorrection(this.host, arrival);
  }
}
