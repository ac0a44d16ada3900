/** Carries out the beginnings and ends of changes. */
import type { Prng } from "@ttcs/units";
import type { HostSet, Turn } from "./changes.ts";
import type { Simulation } from "./simulation.ts";

/** Carries out one turn at the world's present instant. */
export function applyTurn(world: Simulation, turn: Turn, random: Prng): void {
  const { change, begins } = turn;
  const { nowNs, network } = world;
  if (change.kind === "cut") {
    const more = begins ? 1 : -1;
    forLinks(world, change.from, change.to, (from, to) => {
      network.link(from, to).cuts += more;
      if (change.bothWays) network.link(to, from).cuts += more;
    });
  } else if (change.kind === "delay") {
    const byNs = begins ? change.addNs : -change.addNs;
    forLinks(world, change.from, change.to, (from, to) => {
      network.link(from, to).extraNs += byNs;
    });
  } else if (change.kind === "reroute") {
    forLinks(world, "all", "all", (from, to) => {
      if (random.uniform() < change.share) network.reroute(from, to, change.addNs);
    });
  } else if (change.kind === "partition") {
    for (const index of members(world, change.hosts)) {
      const host = world.hosts[index];
      if (begins) world.partition(host);
      else world.rejoin(host);
    }
  } else if (change.kind === "coordinator") {
    if (begins) world.killServer();
    else world.startServer(change.remembers ? world.lastMemory : undefined);
  } else if ("server" in change || change.kind.startsWith("database")) {
    world.fleet?.befall(change, begins);
  } else {
    applyToHost(world, turn, nowNs);
  }
}

function applyToHost(world: Simulation, { change, begins }: Turn, nowNs: number): void {
  if (!("host" in change)) return;
  const host = world.hosts[change.host];
  if (change.kind === "step") {
    host.clock.step(nowNs, change.stepNs);
    world.witness?.disturbed(host, change.stepNs);
  } else if (change.kind === "rawJump") {
    host.clock.rawJump(nowNs, change.jumpNs);
    world.witness?.disturbed(host, change.jumpNs);
  } else if (change.kind === "jump") host.clock.jump(change.ppb);
  else if (change.kind === "slew") {
    host.clock.disturb(nowNs, begins ? change.ppb : 0);
    world.witness?.disturbed(host, 0);
  } else if (change.kind === "pause") {
    if (begins) host.pause(nowNs, nowNs + change.forS * 1e9);
  } else if (begins) world.killAgent(host);
  else {
    if (change.kind === "reboot") {
      host.clock.reboot(nowNs, change.errorNs);
      host.boots++;
      world.witness?.booted(host);
    }
    world.startAgent(host);
  }
}

function members(world: Simulation, set: HostSet): readonly number[] {
  if (set === "all") return world.hosts.map((h) => h.index);
  if ("region" in set) {
    const { regions } = world.options;
    return world.hosts.map((h) => h.index).filter((i) => i % regions === set.region);
  }
  return set;
}

function forLinks(
  world: Simulation,
  from: HostSet,
  to: HostSet,
  each: (from: number, to: number) => void,
): void {
  const others = members(world, to);
  for (const a of members(world, from)) for (const b of others) if (a !== b) each(a, b);
}
