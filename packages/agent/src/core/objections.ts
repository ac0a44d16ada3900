/** What stands above any correction: a panic, a refusal, a disruption, a word to hold. */
import type { ClockFacts } from "@ttcs/discipline";
import type { Deed } from "./deeds.ts";

/** What a keeper has against being steered. */
export interface Against {
  readonly panic: string | undefined;
  readonly refusal: string | undefined;
  /** Where a panic is kept, for people. */
  readonly stateFile: string | undefined;
  /** What was done to the clock just now. */
  readonly deed: Deed | undefined;
  /** Why the coordinator has nothing to steer by. */
  readonly held: string | undefined;
}

type Objections = Pick<
  ClockFacts,
  "refusal" | "refusalAdvice" | "disruption" | "disruptionAdvice" | "held"
>;

/** The same in words for the verdict; what is absent is no matter. */
export function objectionsOf({ panic, refusal, stateFile, deed, held }: Against): Objections {
  const file = stateFile ?? "the agent's state file";
  const refused = panic ?? refusal;
  const refusalAdvice =
    "the clock is left as it is: look into the coordinator, then stop the agent, " +
    `remove ${file} and start it`;
  return {
    ...(refused === undefined ? {} : { refusal: refused }),
    ...(panic === undefined ? {} : { refusalAdvice }),
    ...(deed ? { disruption: deed.reason, disruptionAdvice: deed.advice } : {}),
    ...(held === undefined ? {} : { held }),
  };
}
