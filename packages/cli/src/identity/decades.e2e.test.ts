/**
 * Hosts that boot decades away from the truth, as one with an empty battery does: they enrol, join and
 * lock all the same. Both clocks of such a host are off: the one that TLS asks, which libfaketime sets for
 * the agent's process, and the one that the agent steers, the laboratory's virtual one.
 */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentClient } from "../agentq/client.ts";
import type { LabHost } from "../lab/plan.ts";
import { SmallFleet } from "../testing/small-fleet.ts";

const LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const obstacle = existsSync(LIBRARY) ? undefined : "skipped: needs faketime";
if (obstacle) console.log(`decades: ${obstacle}`);

/** Where the clocks of the hosts after the reference stand (Unix s): 1970, after 2^31, 2099. */
const CLOCKS_S = [10, 2 ** 31 + 86_400, 4_083_955_200];
const LOCK_PATIENCE_S = 60;
/** A locked clock is right to much less; this is the time that asking takes (ms). */
const ASKING_MS = 2_000;

let fleet: SmallFleet;

beforeAll(async () => {
  fleet = await SmallFleet.plan(1 + CLOCKS_S.length, 9);
  if (!obstacle) await fleet.startServer();
});
afterAll(() => fleet.close());

const isoOf = (seconds: number): string =>
  new Date(seconds * 1e3).toISOString().slice(0, 19).replace("T", " ");

test.skipIf(obstacle !== undefined)(
  "agents whose clocks stand at 1970, 2038 and 2099 enrol, join and lock",
  async () => {
    const [reference, ...others] = fleet.hosts;
    fleet.startAgent(reference);
    const strays: LabHost[] = CLOCKS_S.map((seconds, i) => {
      const host = others[i];
      const clock = { ...host.clock, startUnixNs: BigInt(seconds) * 1_000_000_000n };
      const stray = { ...host, clock };
      fleet.startAgent(stray, {
        LD_PRELOAD: LIBRARY,
        FAKETIME: `@${isoOf(seconds)}`,
        DONT_FAKE_MONOTONIC: "1",
        TZ: "UTC",
      });
      return stray;
    });
    const lockedS = await fleet.until("all LOCKED", LOCK_PATIENCE_S, () =>
      fleet.areLocked([reference, ...strays]),
    );
    console.log(
      `clocks at ${CLOCKS_S.map(isoOf).join(", ")}: LOCKED after ${lockedS.toFixed(1)} s`,
    );
    for (const [i, host] of strays.entries()) {
      // TLS has asked a clock that was off: the log's own times say so.
      const first = JSON.parse(fleet.logOf(host)[0]) as { time: number };
      expect(Math.abs(first.time / 1e3 - CLOCKS_S[i])).toBeLessThan(60);
      const client = new AgentClient(host.status);
      const { system_ns } = await client.ask("now");
      client.close();
      expect(Math.abs(Number(BigInt(system_ns) / 1_000_000n) - Date.now())).toBeLessThan(ASKING_MS);
    }
  },
  120_000,
);
