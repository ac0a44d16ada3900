/**
 * Small disks of their own for folders of a laboratory, so that they can be filled up: a tmpfs each,
 * mounted over the folder. Needs root. All are unmounted at the end, and those of laboratories that
 * were killed by the next one.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Room for a few states of an agent, and soon full. */
const SIZE = "256k";
const FILLER = "filler";
/** Bytes that are written at once; then single ones until nothing fits any more. */
const CHUNK = 4_096;

/** See the module head. */
export class SmallDisks {
  readonly #folders: string[] = [];
  /** Ids of the agents whose states are on such disks. */
  readonly agents: readonly string[];
  /** Why there are none; undefined when there are. */
  obstacle: string | undefined = "needs root, for a small tmpfs";

  constructor(agents: readonly string[]) {
    this.agents = agents;
  }

  /** Mounts a disk over each of these folders, which are empty, or none. */
  mount(folders: readonly string[]): void {
    if (process.geteuid?.() !== 0) return;
    this.obstacle = undefined;
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      const options = ["-t", "tmpfs", "-o", `size=${SIZE},mode=0755`, "ttcs-lab", folder];
      const done = spawnSync("mount", options, { encoding: "utf8" });
      if (done.status === 0) {
        this.#folders.push(folder);
        continue;
      }
      this.obstacle = `no tmpfs could be mounted: ${(done.stderr ?? "").trim()}`;
      this.close();
      return;
    }
  }

  /** Fills every disk to its last byte. */
  fill(): void {
    for (const folder of this.#folders) {
      const fd = openSync(join(folder, FILLER), "a");
      for (const bytes of [CHUNK, 1]) {
        try {
          for (;;) writeSync(fd, Buffer.alloc(bytes));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
      closeSync(fd);
    }
  }

  /** Gives the room back. */
  free(): void {
    for (const folder of this.#folders) rmSync(join(folder, FILLER), { force: true });
  }

  close(): void {
    for (const folder of this.#folders.splice(0)) unmount(folder);
  }
}

function unmount(folder: string): void {
  // Lazily: whoever still has a file open there keeps it until it ends.
  spawnSync("umount", ["-l", folder]);
}

/** Unmounts what is mounted anywhere below `dir`. */
export function unmountBelow(dir: string): void {
  let mounts = "";
  try {
    mounts = readFileSync("/proc/self/mounts", "utf8");
  } catch {
    return;
  }
  for (const line of mounts.split("\n")) {
    const folder = line.split(" ")[1] ?? "";
    if (folder.startsWith(`${dir}/`)) unmount(folder);
  }
}
