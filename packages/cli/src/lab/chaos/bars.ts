/** Bars that more than one deed has, and the numbers that the product promises. */
import type { Bar } from "./types.ts";

/** Another reference leads within this long (s): three windows. */
export const LEAD_S = 6;
/** A standby has the lease within this long, corrections are back within that (s). */
export const TAKEOVER_S = 5;
export const CORRECTED_S = 10;
/** The largest true error of any agent in a minute without its coordinator (ns). */
export const COAST_NS = 10_000;
/** A host that started again is LOCKED within this long (s). */
export const RESTART_S = 10;
/** A pause is told within this long; a clock is right again within ten windows (s). */
export const DISRUPTED_S = 2;
export const WINDOWS_S = 20;
/** Others may be this much worse while somebody is paused; everybody while agents are renewed. */
export const OTHERS_RATIO = 1.1;
export const ROLLING_RATIO = 1.2;
/** A reference that returns proves itself for this long before it leads again (s). */
export const PROVING_S = 60;

/** What holds in every deed: clocks run forward, bounds are true, one term is obeyed. */
export const ALWAYS: readonly Bar[] = [
  { figure: "bound_held", atLeast: 1 },
  { figure: "steps", atMost: 0 },
  { figure: "backward_ns", atMost: 0 },
  { figure: "old_term_obeyed", atMost: 0 },
  { figure: "agentq_disagreed", atMost: 0 },
];
export const UNMOVED: Bar = { figure: "moved_ns", atMost: "moved_limit_ns" };
export const ALL_LOCKED: Bar = { figure: "left_locked", atMost: 0 };
