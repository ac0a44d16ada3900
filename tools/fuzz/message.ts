/**
 * Changes messages field by field, by their schema: what comes out is well-formed and says what no
 * sender would say.
 */
import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import type { Prng } from "@ttcs/units";
import { below, chance, pick } from "./target.ts";
import { DOUBLES, INTEGERS, TEXTS } from "./values.ts";

type Fields = Record<string, unknown>;

/** Elements that a list is made to repeat, now and then. */
/** Lengths of hashes, keys and instances, and of what is none. */
const BYTE_LENGTHS = [0, 1, 16, 31, 32, 33, 1_000];
const MANY = 300;
const ENUMS = [0, 1, 2, 3, 4, 5, 6, 7, 99, -1, 2 ** 31 - 1] as const;

/** Changes one field of `message`, in place. */
export function changeMessage(desc: DescMessage, message: Message, random: Prng): void {
  if (desc.fields.length === 0) return;
  const fields = message as unknown as Fields;
  const field = pick(random, desc.fields);
  if (field.oneof) {
    const member = fields[field.oneof.localName] as { case?: string; value?: unknown };
    // Mostly what is there is changed: another case would leave nothing of the message.
    const present = desc.fields.find((f) => f.localName === member.case);
    const chosen = present && chance(random, 90) ? present : field;
    const value = changed(chosen, chosen === present ? member.value : undefined, random);
    fields[field.oneof.localName] =
      value === undefined ? { case: undefined } : { case: chosen.localName, value };
    return;
  }
  const value = changed(field, fields[field.localName], random);
  if (value === undefined) delete fields[field.localName];
  else fields[field.localName] = value;
}

/** A value for the field in place of `value`; undefined: none. */
function changed(field: DescField, value: unknown, random: Prng): unknown {
  if (field.fieldKind === "list") return changedList(field, (value as unknown[]) ?? [], random);
  if (field.fieldKind === "message") {
    if (value !== undefined && chance(random, 5)) return undefined;
    const message = (value as Message | undefined) ?? create(field.message);
    changeMessage(field.message, message, random);
    return message;
  }
  if (field.fieldKind === "enum") return pick(random, ENUMS);
  return field.fieldKind === "scalar" ? scalar(field.scalar, value, random) : value;
}

function changedList(
  field: DescField & { fieldKind: "list" },
  list: unknown[],
  random: Prng,
): unknown[] {
  const kind = below(random, 8);
  if (kind === 0) return [];
  if (kind === 1) return list.slice(0, below(random, list.length + 1));
  if (kind === 2) return [...list].reverse();
  if (kind === 3 && list.length > 0) {
    const one = pick(random, list);
    return [...list, ...Array.from({ length: chance(random, 5) ? MANY : 1 }, () => one)];
  }
  const at = below(random, list.length + 1);
  const copy = [...list];
  copy[at] = element(field, list[at], random);
  return copy;
}

function element(field: DescField & { fieldKind: "list" }, value: unknown, random: Prng): unknown {
  if (field.listKind === "enum") return pick(random, ENUMS);
  if (field.listKind === "scalar") return scalar(field.scalar, value, random);
  const message = (value as Message | undefined) ?? create(field.message);
  changeMessage(field.message, message, random);
  return message;
}

function scalar(type: ScalarType, value: unknown, random: Prng): unknown {
  switch (type) {
    case ScalarType.STRING:
      return pick(random, TEXTS);
    case ScalarType.BYTES:
      return Uint8Array.from({ length: pick(random, BYTE_LENGTHS) }, () => below(random, 256));
    case ScalarType.BOOL:
      return value !== true;
    case ScalarType.DOUBLE:
      return double(value as number | undefined, random);
    case ScalarType.UINT32:
      return Number(BigInt.asUintN(32, near(value, random)));
    case ScalarType.SFIXED32:
      return Number(BigInt.asIntN(32, near(value, random)));
    case ScalarType.UINT64:
      return BigInt.asUintN(64, near(value, random));
    case ScalarType.SFIXED64:
      return BigInt.asIntN(64, near(value, random));
    default:
      throw new Error(`no values for fields of type ${ScalarType[type]}`);
  }
}

function double(value: number | undefined, random: Prng): number {
  if (value === undefined || chance(random, 60)) return pick(random, DOUBLES);
  return chance(random, 50)
    ? value * random.between(-2, 2)
    : value + random.normal() * 10 ** below(random, 12);
}

/** A whole number at the end of a range, or not far from what was there. */
function near(value: unknown, random: Prng): bigint {
  if (value === undefined || chance(random, 60)) return pick(random, INTEGERS);
  const away = BigInt(Math.round(random.normal() * 10 ** below(random, 13)));
  return BigInt(value as number | bigint) + away;
}
