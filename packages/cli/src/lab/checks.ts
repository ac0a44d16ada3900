/** Looks at what was asked of a laboratory before anything is made; each throws Error, for people. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { reasonOf } from "../fail.ts";
import type { ForeignHand } from "./foreign.ts";
import { hostIds } from "./plan.ts";

/** Other hands, the number of hosts, and how long it runs (s). */
interface ForeignPlan {
  readonly foreign: readonly ForeignHand[];
  readonly hosts: number;
  readonly seconds: number;
}

/** The file can be written beside others: its folder is there, and it is none itself. */
export function checkJson(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`--json ${file}: is a folder; give a file`);
  }
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw new Error(`--json ${file}: cannot be written: ${reasonOf(error)}; choose another file`);
  }
}

/** Every hand has a host, and its time comes before the laboratory ends. */
export function checkForeign({ foreign, hosts, seconds }: ForeignPlan): void {
  const late = foreign.find(({ atS }) => atS >= seconds);
  if (late) {
    const { host, atS } = late;
    throw new Error(`--foreign ${host}@${atS}: the laboratory ends after ${seconds} s`);
  }
  const ids = hostIds(hosts);
  const unknown = foreign.find(({ host }) => !ids.includes(host));
  if (unknown) throw new Error(`--foreign names ${unknown.host}; hosts are h1 to h${hosts}`);
}
