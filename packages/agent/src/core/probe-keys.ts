/**
 * Which keys this host's probes bear, and which it lets in.
 *
 * Problem: both ends of an edge are dealt a new key, but not in the same instant, and no probe shall be
 * lost on that account. Approach: what is let in begins at once and lasts for a while after its successor
 * has come; what is sent with changes only when the neighbour has surely heard of it. A neighbour whose
 * process has started anew knows none of the earlier keys, and what was captured under them must be of no
 * use: towards it both change at once.
 *
 * Time is the host's raw clock. What it cannot see: whether the neighbour was told; one that the
 * coordinator does not reach for longer than the lead lets none of our probes in until it is.
 */
import {
  type EdgeKeys,
  isSameKey,
  type Neighbour,
  type ProbeKey,
  type ProbeKeyBytes,
} from "@ttcs/protocol";
import { isSameBytes, type RawNanos, SECOND_NS } from "@ttcs/units";

/** A new key is sent with after this long (ns): everybody has been told, or is lost to the coordinator. */
export const KEY_LEAD_NS = 30 * SECOND_NS;
/** One that has a successor is let in for so long (ns): a neighbour may have been told later than we. */
export const KEY_LINGER_NS = 120 * SECOND_NS;

interface Accepted {
  readonly key: ProbeKeyBytes;
  /** Undefined: it has no successor. */
  readonly untilRawNs: RawNanos | undefined;
}

interface Edge {
  readonly instance: Uint8Array;
  readonly send: ProbeKeyBytes | undefined;
  readonly next: { readonly key: ProbeKeyBytes; readonly fromRawNs: RawNanos } | undefined;
  readonly receive: readonly Accepted[];
}

/** See the module head. */
export class ProbeKeys {
  #edges = new Map<number, Edge>();

  /** Neighbours have been dealt. @returns all keys as they are now */
  assign(neighbours: readonly Neighbour[], nowRawNs: RawNanos): EdgeKeys[] {
    const before = this.#edges;
    this.#edges = new Map(
      neighbours.map((n) => [n.hostNumber, edgeOf(before.get(n.hostNumber), n, nowRawNs)]),
    );
    return this.#all();
  }

  /** Call now and then. @returns all keys, when some have changed; undefined: none has */
  poll(nowRawNs: RawNanos): EdgeKeys[] | undefined {
    let isChanged = false;
    for (const [hostNumber, edge] of this.#edges) {
      const later = advance(edge, nowRawNs);
      if (later === edge) continue;
      this.#edges.set(hostNumber, later);
      isChanged = true;
    }
    return isChanged ? this.#all() : undefined;
  }

  #all(): EdgeKeys[] {
    return [...this.#edges].map(([hostNumber, { send, receive }]) => ({
      hostNumber,
      send,
      receive: receive.map(({ key }) => key),
    }));
  }
}

function edgeOf(before: Edge | undefined, n: Neighbour, nowRawNs: RawNanos): Edge {
  const { instance } = n;
  const send = keyOf(n.sendKey);
  const receive = keyOf(n.receiveKey);
  const isNew = !before || !isSameBytes(before.instance, instance);
  if (isNew) {
    const accepted = receive ? [{ key: receive, untilRawNs: undefined }] : [];
    return { instance, send, next: undefined, receive: accepted };
  }
  return {
    instance,
    ...sendWith(before, send, nowRawNs),
    receive: receive ? accept(before.receive, receive, nowRawNs) : before.receive,
  };
}

function sendWith(
  before: Edge,
  key: ProbeKeyBytes | undefined,
  nowRawNs: RawNanos,
): Pick<Edge, "send" | "next"> {
  const { send, next } = before;
  if (!key || !send) return { send: key, next: undefined };
  if (isSameKey(send, key)) return { send, next: undefined };
  if (next && isSameKey(next.key, key)) return { send, next };
  return { send, next: { key, fromRawNs: later(nowRawNs, KEY_LEAD_NS) } };
}

function accept(
  before: readonly Accepted[],
  key: ProbeKeyBytes,
  nowRawNs: RawNanos,
): readonly Accepted[] {
  if (before.some((a) => a.untilRawNs === undefined && isSameKey(a.key, key))) return before;
  const untilRawNs = later(nowRawNs, KEY_LINGER_NS);
  // Of two keys of one number nobody could say which is meant.
  const older = before.filter((a) => a.key.number !== key.number);
  const kept = older.map((a) => ({ key: a.key, untilRawNs: a.untilRawNs ?? untilRawNs }));
  return [...kept, { key, untilRawNs: undefined }];
}

/** The edge as it is by now; the same one when nothing has come to its time. */
function advance(edge: Edge, nowRawNs: RawNanos): Edge {
  const { next, receive } = edge;
  const isDue = next !== undefined && nowRawNs >= next.fromRawNs;
  const kept = receive.filter((a) => a.untilRawNs === undefined || nowRawNs < a.untilRawNs);
  if (!isDue && kept.length === receive.length) return edge;
  const sending = isDue ? { send: next.key, next: undefined } : {};
  return { ...edge, ...sending, receive: kept };
}

const keyOf = (key: ProbeKey | undefined): ProbeKeyBytes | undefined =>
  key && key.number > 0 && key.key.length > 0 ? { number: key.number, key: key.key } : undefined;

const later = (rawNs: RawNanos, byNs: number): RawNanos => (rawNs + BigInt(byNs)) as RawNanos;
