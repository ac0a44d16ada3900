import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { newHost } from "./host.ts";
import { MuteHosts } from "./mute-hosts.ts";

const hostOf = (number: number, reportedAtMs: number) => {
  const host = newHost(number, create(HelloSchema, { hostId: `h${number}` }), number);
  host.reportedAtMs = reportedAtMs;
  return host;
};

test("a host that does not report is not waited for after two seconds, until it reports again", () => {
  const mute = new MuteHosts();
  const host = hostOf(1, 1_000);
  const other = hostOf(2, Number.NaN);
  for (let ms = 1_000; ms < 3_000; ms += 500) {
    other.reportedAtMs = ms;
    mute.look([host, other], ms);
    expect(mute.count, `at ${ms} ms`).toBe(0);
  }
  other.reportedAtMs = 3_000;
  mute.look([host, other], 3_000);
  expect(mute.count).toBe(1);
  mute.spoke(host);
  expect(mute.count).toBe(0);
});

test("a newcomer to a domain that runs is not waited for until it has reported", () => {
  const mute = new MuteHosts();
  const host = hostOf(1, Number.NaN);
  mute.joined(host);
  expect(mute.count).toBe(1);
  mute.spoke(host);
  expect(mute.count).toBe(0);
});

test("where a domain begins, a host that never reports is waited for for a second", () => {
  const mute = new MuteHosts();
  const host = hostOf(1, Number.NaN);
  mute.look([host], 0);
  mute.look([host], 900);
  expect(mute.count).toBe(0);
  mute.look([host], 1_000);
  expect(mute.count).toBe(1);
});
