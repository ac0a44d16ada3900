import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAgentConfig } from "@ttcs/protocol";
import { edgeDelayNs } from "@ttcs/timestamper";
import { afterAll, expect, test } from "vitest";
import { loopbackNetwork } from "./network.ts";
import { type PlanOptions, planHosts, writeConfig } from "./plan.ts";
import { PROFILE_NAMES, PROFILES } from "./profiles.ts";

const dir = mkdtempSync(join(tmpdir(), "ttcs-plan-"));
afterAll(() => rmSync(dir, { recursive: true }));

const START = { kernelRawNs: 5_000n, unixNs: 1_795_356_122_000_000_000n };
const plan = (changes: Partial<PlanOptions> = {}, ipv6 = false) =>
  planHosts(
    { hosts: 64, seed: 7, profile: "quiet", slew: false, recordDir: undefined, ...changes },
    dir,
    START,
    loopbackNetwork(ipv6),
  );

test("hosts differ by id, address and socket, and the first one is the reference", () => {
  const hosts = plan();
  for (const part of ["id", "address", "status", "configFile"] as const) {
    expect(new Set(hosts.map((h) => h[part])).size).toBe(64);
  }
  expect(hosts.filter((h) => h.role === "reference").map((h) => h.id)).toEqual(["h1"]);
  expect(hosts.filter((h) => h.clock.timeDaemon).map((h) => h.id)).toEqual(["h1"]);
});

test("only the reference's daemon slews, and only when asked to", () => {
  expect(plan().some((h) => h.clock.slew)).toBe(false);
  const slews = plan({ slew: true }).map((h) => h.clock.slew);
  expect(slews[0]).toEqual({ slewNs: 2_000_000, atS: 30, ratePpb: 500_000 });
  expect(slews.slice(1).every((s) => s === undefined)).toBe(true);
});

test("an agent reads from its configuration what the plan says", () => {
  for (const profile of PROFILE_NAMES) {
    const [host] = plan({ profile, slew: true, recordDir: "/somewhere" }, true);
    const ports = { probe: 319, agent: 6171, server: 6176 };
    const enrolment = { caFingerprint: `sha256:${"0".repeat(64)}`, enrolmentToken: "token" };
    writeConfig(host, { servers: [{ address: "fd00:117::1", port: 6176 }], ports, enrolment });
    const parsed = parseAgentConfig(readFileSync(host.configFile, "utf8"), host.configFile);
    if (!parsed.ok) throw new Error(parsed.message);
    expect(parsed.config).toMatchObject({
      probeAddress: "::1",
      probePort: 319,
      agentPort: 6171,
      coordinatorAddress: "fd00:117::1",
      coordinatorSubscriptionServicePort: 6176,
      labClock: {
        seed: 7,
        link: PROFILES[profile],
        slewNs: 2_000_000,
        slewAtS: 30,
        slewRatePpb: 500_000,
        recordDir: "/somewhere",
      },
    });
  }
});

test("the asymmetric profile parts the ways of 15 % of the edges by 3 us, the others by nothing", () => {
  const link = PROFILES.asymmetric;
  const apart: number[] = [];
  for (let from = 1; from <= 64; from++) {
    for (let to = 1; to < from; to++) {
      apart.push(Math.round(edgeDelayNs(link, 7, from, to) - edgeDelayNs(link, 7, to, from)) + 0);
    }
  }
  expect(new Set(apart)).toEqual(new Set([0, 3_000, -3_000]));
  const share = apart.filter((ns) => ns !== 0).length / apart.length;
  expect(Math.abs(share - 0.15)).toBeLessThan(0.03);
});
