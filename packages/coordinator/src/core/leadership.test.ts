import { create } from "@bufbuild/protobuf";
import { HelloSchema, ReportSchema } from "@ttcs/protocol";
import { rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { AnchorSet } from "./anchors.ts";
import type { MeshFit } from "./fits.ts";
import { type Host, newHost } from "./host.ts";
import { Leadership } from "./leadership.ts";

/** Five hosts, h1 of the highest clock_quality, and rounds in which all are solved for. */
class Domain {
  readonly hosts = new Map<number, Host>();
  readonly anchors = new AnchorSet();
  readonly said: string[] = [];
  readonly leadership = new Leadership(this.hosts, this.anchors, (_, text) => this.said.push(text));
  nowMs = 0;
  /** Pairs of hosts that no probe passes between. */
  cut: (a: number, b: number) => boolean = () => false;

  constructor(qualities: readonly number[] = [10, 5, 1, 1, 1]) {
    qualities.forEach((clockQuality, i) => {
      const hello = create(HelloSchema, {
        hostId: `h${i + 1}`,
        clockQuality,
        correctClock: true,
      });
      this.hosts.set(i + 1, newHost(i + 1, hello, i + 1));
      this.lock(i + 1);
    });
  }

  lock(number: number): void {
    const host = this.hosts.get(number)!;
    host.connection = number;
    host.disconnectedAtMs = Number.NaN;
    host.lockedSinceMs = this.nowMs;
  }

  leave(number: number): void {
    const host = this.hosts.get(number)!;
    host.connection = undefined;
    host.disconnectedAtMs = this.nowMs;
    host.lockedSinceMs = Number.NaN;
  }

  get fits(): MeshFit[] {
    const here = [...this.hosts.values()].filter((h) => h.connection !== undefined);
    return here.flatMap((a) =>
      here
        .filter((b) => a.number < b.number && !this.cut(a.number, b.number))
        .map((b) => ({ owner: a.number, other: b.number }) as MeshFit),
    );
  }

  /** Lets seconds pass; returns who has led, one after the other. */
  pass(seconds: number): string[] {
    const led: string[] = [];
    for (const endMs = this.nowMs + seconds * 1000; this.nowMs < endMs; this.nowMs += 500) {
      const reference = this.leadership.lead(this.fits, this.nowMs)!;
      if (reference.id !== led.at(-1)) led.push(reference.id);
      const alive = [...this.hosts.values()].filter((h) => h.connection !== undefined);
      if (!alive.includes(reference)) continue;
      const reached = alive.filter((h) => h === reference || !this.cut(reference.number, h.number));
      for (const host of reached) {
        host.track = { fix: {} } as never;
        host.report = create(ReportSchema, { source: { rawNs: 1n, steered: true } });
        host.reportedAtMs = this.nowMs;
      }
      this.anchors.noteReached(reached, this.nowMs);
      this.anchors.tend(this.hosts, reference, this.leadership.lockedOnce, this.nowMs);
      const enough = this.anchors.isMajority(this.anchors.countOf(reached));
      this.leadership.solved(rawNanos(1n), enough, this.nowMs);
    }
    return led;
  }

  start(): this {
    this.leadership.noteLocked();
    this.pass(5);
    return this;
  }
}

test("a reference that dies is followed by the best standby after 3 s, and by nobody before", () => {
  const domain = new Domain().start();
  domain.leave(1);
  expect(domain.pass(3)).toEqual(["h1"]);
  expect(domain.pass(1)).toEqual(["h2"]);
});

test("it leads again after a minute of proof, and after two when it is lost again", () => {
  const domain = new Domain().start();
  for (const proofS of [60, 120]) {
    domain.leave(1);
    domain.pass(10);
    domain.lock(1);
    expect(domain.pass(proofS - 1)).toEqual(["h2"]);
    expect(domain.pass(20)).toEqual(["h2", "h1"]);
    expect(domain.said).toContain(`h1 has proved itself for ${proofS} s`);
  }
});

test("whoever is no better never gets the lead back", () => {
  const domain = new Domain([5, 5, 1, 1, 1]).start();
  domain.leave(1);
  domain.pass(10);
  domain.lock(1);
  expect(domain.pass(600)).toEqual(["h2"]);
});

test("a better host that somebody else steers does not lead without a source that is good", () => {
  const domain = new Domain().start();
  domain.leave(1);
  domain.pass(10);
  domain.lock(1);
  domain.hosts.get(1)!.hello.correctClock = false;
  expect(domain.pass(600)).toEqual(["h2"]);
});

test("one that loses LOCKED on the way begins its proof again", () => {
  const domain = new Domain().start();
  domain.leave(1);
  domain.pass(10);
  for (let i = 0; i < 4; i++) {
    domain.lock(1);
    expect(domain.pass(50)).toEqual(["h2"]);
  }
});

test("the side with most of the anchors finds a reference of its own; the other one does not", () => {
  const domain = new Domain().start();
  const minority = [1, 4];
  domain.cut = (a, b) => minority.includes(a) !== minority.includes(b);
  expect(domain.pass(2.5)).toEqual(["h1"]);
  expect(domain.pass(1.5)).toEqual(["h2"]);
  const halves = new Domain([10, 5, 1, 1]).start();
  halves.cut = (a, b) => Math.ceil(a / 2) !== Math.ceil(b / 2);
  expect(halves.pass(600)).toEqual(["h1"]);
});

test("a reference that was on no majority's side keeps the lead when the sides meet again", () => {
  const domain = new Domain([10, 5, 1, 1]).start();
  for (let i = 0; i < 2; i++) {
    domain.cut = (a, b) => Math.ceil(a / 2) !== Math.ceil(b / 2);
    expect(domain.pass(20)).toEqual(["h1"]);
    domain.cut = () => false;
    expect(domain.pass(20)).toEqual(["h1"]);
  }
});

test("a reference whose edges are of no use to a solve does not keep the lead by them", () => {
  const domain = new Domain().start();
  const { leadership } = domain;
  const solved = leadership.solved.bind(leadership);
  leadership.solved = (at, _, nowMs) => solved(at, false, nowMs);
  expect(domain.pass(4)).toEqual(["h1"]);
  expect(domain.pass(1)).toEqual(["h2"]);
});

test("a reference whose raw clock is found wrong hands on at once and is on probation", () => {
  const domain = new Domain().start();
  domain.leadership.demote("its raw clock leapt", domain.nowMs);
  expect(domain.said).toContain("h1 demoted: its raw clock leapt");
  expect(domain.pass(59)).toEqual(["h2"]);
});

test("an heir on probation comes after all others", () => {
  const domain = new Domain([10, 5, 1, 1, 1]).start();
  domain.leave(1);
  domain.pass(10);
  domain.lock(1);
  domain.pass(5);
  domain.leave(2);
  expect(domain.pass(10)).toEqual(["h2", "h3"]);
});

test("a coordinator that starts anew keeps the reference, and those on probation", () => {
  const domain = new Domain().start();
  domain.leave(1);
  domain.pass(10);
  const next = new Domain();
  next.leadership.fromMemory(domain.leadership.toMemory(), 0);
  next.anchors.fromMemory(domain.anchors.toMemory());
  expect(next.pass(59)).toEqual(["h2"]);
  expect(next.pass(10)).toEqual(["h2", "h1"]);
});
