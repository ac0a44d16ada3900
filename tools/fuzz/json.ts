/** Changes documents of JSON: values of other types, members that are missing, doubled or renamed. */
import type { Prng } from "@ttcs/units";
import { below, chance, pick } from "./target.ts";
import { DOUBLES, INTEGERS, TEXTS } from "./values.ts";

/** Deep enough to overflow who follows without a limit. */
const DEPTH = 3_000;

type Json = unknown;

/** A copy of `value` with one change somewhere in it. */
export function changeJson(value: Json, random: Prng): Json {
  const isOpen = typeof value === "object" && value !== null;
  if (!isOpen || chance(random, 10)) return other(value, random);
  if (Array.isArray(value)) return changedArray(value, random);
  const entries = Object.entries(value as Record<string, Json>);
  if (entries.length === 0) return { x: other(undefined, random) };
  const at = below(random, entries.length);
  const [key, member] = entries[at];
  const kind = below(random, 10);
  if (kind === 0) entries.splice(at, 1);
  else if (kind === 1) entries[at] = [pick(random, TEXTS), member];
  else if (kind === 2) entries[at] = [key, pick(random, entries)[1]];
  else entries[at] = [key, changeJson(member, random)];
  return Object.fromEntries(entries);
}

function changedArray(value: readonly Json[], random: Prng): Json {
  const copy = [...value];
  if (copy.length === 0) return [other(undefined, random)];
  const at = below(random, copy.length);
  const kind = below(random, 8);
  if (kind === 0) copy.splice(at, 1);
  else if (kind === 1) copy.push(copy[at]);
  else if (kind === 2) copy.reverse();
  else copy[at] = changeJson(copy[at], random);
  return copy;
}

/** Something else. Numbers that JSON cannot say become null, as `JSON.stringify` has it. */
function other(value: Json, random: Prng): Json {
  const kind = below(random, 12);
  if (kind < 3) return pick(random, DOUBLES);
  if (kind < 5) return String(pick(random, INTEGERS));
  if (kind < 7) return pick(random, TEXTS);
  if (kind === 7) return pick(random, [null, true, false]);
  if (kind === 8) return pick<Json>(random, [[], {}, [value], { x: value }]);
  if (kind === 9 && chance(random, 5)) return nested();
  if (typeof value === "number")
    return value + Math.round(random.normal() * 10 ** below(random, 12));
  return Number(pick(random, INTEGERS));
}

function nested(): Json {
  let deep: Json = 1;
  for (let i = 0; i < DEPTH; i++) deep = [deep];
  return deep;
}
