/** Link conditions that a laboratory can be asked for by name. */
import type { LinkConditions } from "@ttcs/timestamper";

/** A quiet local network: 10 us one way, exponential queueing of 1 us, rare loss. */
const QUIET: LinkConditions = {
  baseDelayNs: 10_000,
  jitterNs: 1_000,
  loss: 0.001,
  asymmetryNs: 0,
  asymmetricShare: 0,
  queueLoad: 0,
  queueServiceNs: 0,
  spikeShare: 0,
  spikeNs: 0,
};

/** Frames of 1500 bytes on a link of 1 Gbit/s take this long (ns). */
const FRAME_NS = 12_000;

/** What `--profile` takes. */
export const PROFILES = {
  quiet: QUIET,
  /** Every link has a queue that cross traffic keeps 60 % busy: mean wait 18 us, with a memory. */
  busy: { ...QUIET, queueLoad: 0.6, queueServiceNs: FRAME_NS },
  /** 15 % of the edges are 3 us longer one way than the other, which nobody can see on them. */
  asymmetric: { ...QUIET, asymmetryNs: 3_000, asymmetricShare: 0.15 },
  /** Virtual machines of a cloud: longer, noisier, lossy, now and then paused for a millisecond. */
  cloud: {
    ...QUIET,
    baseDelayNs: 60_000,
    jitterNs: 15_000,
    loss: 0.005,
    queueLoad: 0.4,
    queueServiceNs: FRAME_NS,
    spikeShare: 1e-4,
    spikeNs: 1e6,
  },
} as const satisfies Record<string, LinkConditions>;

export type ProfileName = keyof typeof PROFILES;

/** All names, for the command line. */
export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];
