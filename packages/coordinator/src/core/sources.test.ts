import { create } from "@bufbuild/protobuf";
import { HelloSchema, ReportSchema } from "@ttcs/protocol";
import { beforeEach, expect, test } from "vitest";
import { type Host, newHost } from "./host.ts";
import { Sources } from "./sources.ts";

const EPOCH = 1_795_000_000_000_000_000n;
const MAX_ERROR_NS = 100_000;

let said: string[];
let sources: Sources;
let nowMs: number;

beforeEach(() => {
  said = [];
  nowMs = 0;
  sources = new Sources((_, text) => said.push(text));
});

/** Hosts with a source each; the first one is the reference. */
const hostsOf = (count: number): Host[] =>
  Array.from({ length: count }, (_, i) =>
    newHost(i + 1, create(HelloSchema, { hostId: `h${i + 1}` }), i + 1),
  );

/** Lets rounds pass in which each host's clock is so far from domain time (ns). */
function pass(seconds: number, hosts: readonly Host[], offsetsNs: readonly number[]): void {
  for (const endMs = nowMs + seconds * 1000; nowMs < endMs; nowMs += 500) {
    const rawNs = BigInt(nowMs) * 1_000_000n;
    hosts.forEach((host, i) => {
      const source = {
        rawNs,
        systemUnixNs: EPOCH + rawNs + BigInt(offsetsNs[i]),
        maxErrorNs: MAX_ERROR_NS,
        synchronised: true,
      };
      host.report = create(ReportSchema, {
        source,
        line: {},
        offsetNs: offsetsNs[i],
        boundNs: 100,
      });
      sources.take(host, i === 0, hosts, nowMs);
    });
    sources.judge(hosts[0], hosts, nowMs);
    sources.utc(hosts[0], 0, nowMs);
  }
}

test("a step of a lone source is refused, and named; UTC is free-running with a growing bound", () => {
  const hosts = hostsOf(1);
  pass(30, hosts, [0]);
  expect(sources.followed(hosts[0])).toBeDefined();
  pass(1, hosts, [1e6]);
  expect(said).toEqual(["h1 demoted: its clock stepped by +1.000 ms against its own raw clock"]);
  expect(sources.followed(hosts[0])).toBeUndefined();
  const early = sources.utc(hosts[0], 0, nowMs);
  const late = sources.utc(hosts[0], 0, nowMs + 20_000);
  expect([early.hasSource, late.hasSource]).toEqual([false, false]);
  expect(late.maxErrorNs).toBeGreaterThan(early.maxErrorNs + 1_000);
  expect(sources.alarms(hosts[0])).toEqual([
    "h1 demoted: its clock stepped by +1.000 ms against its own raw clock",
    "no host has a source that is followed: UTC is free-running",
  ]);
});

test("it is taken back after a steady minute, when what is known of UTC allows it", () => {
  const hosts = hostsOf(1);
  pass(30, hosts, [0]);
  pass(59, hosts, [350_000]);
  expect(sources.whyRefused(hosts[0])).toBeDefined();
  pass(3, hosts, [350_000]);
  expect(sources.whyRefused(hosts[0])).toBeUndefined();
  expect(sources.utc(hosts[0], 0, nowMs)).toEqual({ hasSource: true, maxErrorNs: MAX_ERROR_NS });
});

test("a leap of a second, or of an hour, of a lone source is never followed", () => {
  for (const leapNs of [-1e9, 3.6e12]) {
    sources = new Sources(() => {});
    const hosts = hostsOf(1);
    pass(30, hosts, [0]);
    pass(300, hosts, [leapNs]);
    expect(sources.followed(hosts[0])).toBeUndefined();
  }
});

test("two standbys that stay speak against the reference; moving towards them is being put right", () => {
  const hosts = hostsOf(3);
  pass(30, hosts, [0, 5_000, -4_000]);
  pass(2, hosts, [-2e6, 5_000, -4_000]);
  expect(said).toEqual(["h1 demoted: its clock stepped by -2.000 ms against 2 of 2 standbys"]);
  said = [];
  pass(62, hosts, [0, 5_000, -4_000]);
  expect(said).toEqual([
    "h1: its clock stepped by +2.000 ms, towards 2 of 2 standbys: put right",
    "the source of h1 has been steady for 60 s: good again",
  ]);
});

test("a reference that is put right towards its standbys is not demoted", () => {
  const hosts = hostsOf(3);
  pass(30, hosts, [90_000, -100_000, -90_000]);
  pass(2, hosts, [-260_000, -100_000, -90_000]);
  expect(said).toEqual(["h1: its clock stepped by -0.350 ms, towards 2 of 2 standbys: put right"]);
  expect(sources.whyRefused(hosts[0])).toBeUndefined();
});

test("a reference that is out of the bounds of two standbys is demoted without any deed", () => {
  const hosts = hostsOf(3);
  pass(25, hosts, [0, 150_000, 160_000]);
  expect(said).toEqual([]);
  said = [];
  sources = new Sources((_, text) => said.push(text));
  pass(25, hosts, [0, 250_000, 260_000]);
  expect(said).toEqual(["h1 demoted: its clock is -0.250 ms from 2 of 2 standbys"]);
});

test("sources that all go to another time together are believed after a minute: they re-agree", () => {
  const hosts = hostsOf(3);
  pass(30, hosts, [0, 5_000, -4_000]);
  pass(2, hosts, [1e9, 1e9, 1e9]);
  expect(sources.followed(hosts[0])).toBeUndefined();
  pass(62, hosts, [1e9, 1e9, 1e9]);
  expect(sources.followed(hosts[0])).toBeDefined();
});

test("a clock that we steer is no source, and one that may err by seconds no good one", () => {
  const hosts = hostsOf(1);
  pass(30, hosts, [0]);
  expect(sources.isGood(hosts[0], nowMs, 20_000)).toBe(true);
  hosts[0].report!.source!.maxErrorNs = 2e9;
  expect(sources.isGood(hosts[0], nowMs)).toBe(false);
  hosts[0].report!.source!.steered = true;
  expect(sources.followed(hosts[0])).toBeUndefined();
});
