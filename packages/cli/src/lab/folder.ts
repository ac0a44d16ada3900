/** The folder of a laboratory, and what laboratories that were killed have left behind. */
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmountBelow } from "./chaos/small-disks.ts";
import { leftovers } from "./leftovers.ts";

/** Folder of the database in that of a laboratory. */
export const DATABASE_DIR = "postgres";

/** Makes the folder of this laboratory; its name carries our process id. */
export const makeLabFolder = (): string => mkdtempSync(join(tmpdir(), `ttcs-lab-${process.pid}-`));

/** Removes a folder with all that is in it, small disks included. */
export function removeLabFolder(dir: string): void {
  unmountBelow(dir);
  rmSync(dir, { recursive: true, force: true });
}

/**
 * Ends the PostgreSQL of a laboratory that was killed: its process id stands in its folder, and it is
 * the one only if it works there.
 */
function endDatabase(dir: string): void {
  const data = join(dir, DATABASE_DIR, "data");
  try {
    const pid = Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
    if (readlinkSync(`/proc/${pid}/cwd`) !== data) return;
    // Quick, and without waiting for anybody; one that was paused has to go on to hear it.
    process.kill(pid, "SIGQUIT");
    process.kill(pid, "SIGCONT");
  } catch {
    // There is none, or it has ended.
  }
}

/** Folders of laboratories that were killed; those of other users stay. */
export function removeLeftoverFolders(): void {
  for (const name of leftovers(tmpdir(), /^ttcs-lab-(\d+)-/)) {
    try {
      endDatabase(join(tmpdir(), name));
      removeLabFolder(join(tmpdir(), name));
    } catch {
      // Not ours.
    }
  }
}
