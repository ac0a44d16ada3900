/** What the keeper of a clock is given, and what it tells. */
import type { Verdict } from "@ttcs/discipline";
import type { RawNanos } from "@ttcs/units";

/** A reading of system minus domain (ns). */
export interface Offset {
  readonly rawNs: RawNanos;
  readonly ns: number;
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** What never changes about the host. */
export interface KeeperOptions {
  /** False: the clock is measured and never written. */
  readonly correctClock: boolean;
  readonly coordinatorAddress: string;
  /** Where a panic is kept, for people; absent: nowhere. */
  readonly stateFile?: string;
}

/** What the shell shall write. */
export type Write =
  | { readonly kind: "adjust"; readonly freqPpb: number }
  | { readonly kind: "step"; readonly stepNs: number; readonly freqPpb: number };

/** How the system clock stands to domain time at one instant. */
export interface Standing {
  readonly verdict: Verdict;
  /** System minus domain (ns, positive: ahead); undefined before the first correction. */
  readonly offsetNs: number | undefined;
  /** Of the offset, standard (ns) and guaranteed (ns; infinite while it cannot be read). */
  readonly sigmaNs: number;
  readonly boundNs: number;
  /** Guaranteed bound of the system clock to UTC (ns); undefined without a source. */
  readonly utcBoundNs: number | undefined;
  /** Since the close of the newest correction's window (s). */
  readonly correctionAgeS: number | undefined;
}
