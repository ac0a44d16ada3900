/** Arms the failpoints that the environment names, at the start of a program. */
import { armFailpoints, parseFailpoints } from "@ttcs/units";
import { fail } from "./fail.ts";

/** Where the places are named. */
export const FAILPOINTS_VARIABLE = "TTCS_FAILPOINTS";

/** Ends the program when the variable makes no sense: a test that tests nothing is worse than none. */
export function armFromEnvironment(): void {
  const text = process.env[FAILPOINTS_VARIABLE];
  if (!text) return;
  const armed = parseFailpoints(text);
  if ("fault" in armed) fail(`${FAILPOINTS_VARIABLE}: ${armed.fault}`);
  process.stderr.write(`${FAILPOINTS_VARIABLE} is set: this program will fail as asked: ${text}\n`);
  armFailpoints(armed, { kill, sleep });
}

const kill = (): void => {
  process.kill(process.pid, "SIGKILL");
  // The signal takes a moment; nothing more shall be done until then.
  sleep(60_000);
};

/** Stops this thread, as a machine that is busy with something else would. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
