/** Which scenarios and which seeds a command line means. */
import type { Scenario } from "@ttcs/simulator";

/** What a person calls a scenario: its name, or its number with or without zeros in front. */
export const numberText = (scenario: Scenario): string => String(scenario.number).padStart(3, "0");

/** The scenarios named, or in a range of numbers ("441-445"); all when none is. */
export function chooseScenarios(
  names: readonly string[],
  all: readonly Scenario[],
): readonly Scenario[] | { readonly unknown: string } {
  if (names.length === 0) return all;
  const chosen: Scenario[] = [];
  for (const name of names) {
    const range = /^(\d+)-(\d+)$/.exec(name);
    if (range) {
      const within = all.filter((s) => s.number >= +range[1] && s.number <= +range[2]);
      if (within.length === 0) return { unknown: name };
      chosen.push(...within);
      continue;
    }
    const found = all.find(
      (s) => s.name.toLowerCase() === name.toLowerCase() || (isNumber(name) && s.number === +name),
    );
    if (!found) return { unknown: name };
    chosen.push(found);
  }
  return chosen;
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

/** Most seeds of one call: a typing error shall not run for a year. */
const SEEDS_MAX = 10_000;
const SEED_MAX = 2 ** 32 - 1;

/** "3-7" as the seeds 3 to 7; undefined when it is no such range. */
export function parseSeeds(text: string): number[] | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2])];
  if (last < first || last > SEED_MAX || last - first >= SEEDS_MAX) return undefined;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
