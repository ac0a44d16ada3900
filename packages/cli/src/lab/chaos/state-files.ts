/** Looks whether what agents have written down to survive a restart can be read. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../plan.ts";

/** How many files of these hosts are no whole JSON; files that are being written do not count. */
export const countUnreadable = (hosts: readonly LabHost[]): number =>
  hosts.reduce((sum, { persistentDir }) => sum + unreadable(persistentDir), 0);

function unreadable(folder: string): number {
  return readdirSync(folder).filter((name) => {
    if (!name.endsWith(".json")) return false;
    try {
      JSON.parse(readFileSync(join(folder, name), "utf8"));
      return false;
    } catch {
      return true;
    }
  }).length;
}
