/** Things that carry the process id of a laboratory in their names, and outlive it when it is killed. */
import { readdirSync } from "node:fs";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * The names in folder `dir` whose laboratory is gone; the first group of `pattern` is its process id.
 * A process id that is in use again keeps them until that process has ended.
 */
export function leftovers(dir: string, pattern: RegExp): string[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return []; // Nobody has ever made one here.
  }
  return names.filter((name) => {
    const owner = pattern.exec(name);
    return owner !== null && !isAlive(Number(owner[1]));
  });
}
