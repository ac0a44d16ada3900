/**
 * How many may stand at a door, and how fast they come in: a host knows a few dozen neighbours, a server
 * a fleet.
 */

/** How many may stand at a door, and how fast they come in. */
export interface DoorLimits {
  /** Connections that wait to be let in; the next one is refused. */
  readonly waitingMax: number;
  /** Unproved connections inside at once: in all, and from one address. */
  readonly unprovedMax: number;
  readonly unprovedPerAddressMax: number;
  /**
   * Every beat so many are let in while the process keeps time; half as many of every beat that has
   * passed when it is late, but not more than `lateAtOnceMax`.
   */
  readonly atOnce: number;
  readonly lateAtOnceMax: number;
  /**
   * Connections of one address that do not prove themselves: at once, and then per second. Who proves
   * himself has his given back, so that a fleet behind one address comes in as fast as it speaks.
   */
  readonly burstPerAddress: number;
  readonly ratePerAddress: number;
}

/** A host's door: a few dozen neighbours. */
export const NEIGHBOURS_DOOR: DoorLimits = {
  waitingMax: 256,
  unprovedMax: 64,
  unprovedPerAddressMax: 32,
  atOnce: 4,
  lateAtOnceMax: 8,
  burstPerAddress: 64,
  ratePerAddress: 5,
};
/**
 * A server's door: a thousand agents that come back all at once, perhaps from behind one address. Whoever
 * is sent away asks again later than one who waits in line, so the line is long; one address has half of
 * it at the most. 400 a second are let in: a greeting costs about a millisecond.
 */
export const FLEET_DOOR: DoorLimits = {
  waitingMax: 2_048,
  unprovedMax: 128,
  unprovedPerAddressMax: 96,
  atOnce: 8,
  lateAtOnceMax: 48,
  burstPerAddress: 1_024,
  ratePerAddress: 100,
};
