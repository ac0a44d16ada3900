/** What a door counts. */

/** Connections turned away, by kind, since the start. */
export interface DoorCounters {
  connections: number;
  /** More connections a second from one address than anybody needs. */
  refused_rate: number;
  /** Too many were waiting already, or the house is full of proved ones. */
  refused_full: number;
  /** No TLS, or no certificate of our authority where one is needed. */
  failed_handshakes: number;
  /** Came before this end had a certificate to show. */
  unready: number;
  /** Had to make room, as the oldest of too many that had not proved themselves. */
  evicted: number;
  /** Nothing that makes sense within the time for it. */
  unproved_late: number;
  /** Went away without having proved itself. */
  unproved_gone: number;
  /** Sent more than anybody needs, or nothing but nonsense. */
  expelled: number;
  /** Not connections: calls that broke while they began, and sessions that broke the protocol. */
  broken_calls: number;
  broken_frames: number;
  /** Not connections: calls of somebody without a certificate that need one. */
  refused_calls: number;
}

/** Of a door at which nobody has knocked yet. */
export const noneTurnedAway = (): DoorCounters => ({
  connections: 0,
  refused_rate: 0,
  refused_full: 0,
  failed_handshakes: 0,
  unready: 0,
  evicted: 0,
  unproved_late: 0,
  unproved_gone: 0,
  expelled: 0,
  broken_calls: 0,
  broken_frames: 0,
  refused_calls: 0,
});
