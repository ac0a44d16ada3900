/** What the file system says, without the name: the user knows the file by another one at times. */
export const reasonOf = (error: unknown): string =>
  (error as Error).message.replace(/, \w+( '.*')?$/s, "");

/** Ends the program with one clear line on standard error. */
export function fail(message: string, exitCode = 2): never {
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
