/**
 * Places in the shells at which a test may let things go wrong, by name.
 *
 * A call of `failpoint` does nothing, and costs a look at one variable, unless somebody has armed the
 * place: a program does that once at its start, for the places that an environment variable names. What
 * "kill" and "sleep" are is for the caller to say; this table only knows names and counts visits.
 * Cores have none: they do nothing that could fail half-way.
 */

/** Every place, with what is about to happen or has just happened there. */
export const failpointTable = {
  "agent.start": "the agent begins; nothing is open",
  "agent.start.status": "the status socket answers",
  "agent.start.peers": "the agents' port is bound",
  "agent.start.timestamper": "the kernel's stamps are proved, nothing is sent yet",
  "agent.batch.before": "stamps and readings of the last 50 ms are about to be dealt with",
  "agent.batch.after": "they have been",
  "agent.identify": "the timestamper is about to be told the host's number",
  "agent.probe": "the timestamper is about to be told whom to probe",
  "agent.neighbours": "the neighbours are about to be dialled",
  "agent.flush": "a round's stamps are about to go to a neighbour",
  "agent.report": "a round's report is about to go to the coordinator",
  "agent.adjust.before": "a frequency is about to be written to the clock",
  "agent.adjust.after": "it has been, the core does not know it yet",
  "agent.step.before": "the clock is about to be stepped",
  "agent.step.after": "it has been, the core does not know it yet",
  "agent.errors": "the kernel is about to be told the clock's errors",
  "agent.state.write": "what must survive is about to be written into a new file",
  "agent.state.rename": "the new file is on the disk, it has not the old one's name yet",
  "agent.state.sync": "it has, the folder is not forced to the disk yet",
  "agent.close": "the agent is about to end in good order",
  "agent.enrol": "the host is about to ask for a certificate",
  "agent.identity.write": "it has one, nothing is kept yet",
  "agent.link.open": "a stream to the coordinator is about to be opened",
  "agent.link.hello": "the agent is about to introduce itself on it",
  "agent.link.message.before": "a message of the coordinator is about to be obeyed",
  "agent.link.message.after": "it has been",
  "agent.link.send": "a message is about to be written to the stream",
  "agent.link.end": "the stream has ended, the core does not know it yet",
  "agent.peer.dial": "a neighbour is about to be dialled",
  "agent.peer.hear": "a neighbour's stamps are about to be dealt with",
  "agent.peer.send": "stamps are about to be written to a neighbour's stream",
  "agent.status.answer": "an answer is about to be written to the status socket",
  "server.start": "the server begins; nothing is bound",
  "server.listen": "the server's port is bound, no round is beaten yet",
  "server.stream": "an agent has opened a stream",
  "server.message.before": "a message of an agent is about to be dealt with",
  "server.message.after": "it has been, what follows from it is not sent yet",
  "server.tick.before": "the domain's beat is about to run; rounds are solved in it",
  "server.tick.after": "it has run, what follows from it is not sent yet",
  "server.send.before":
    "a message, a correction perhaps, is about to be written to an agent's stream",
  "server.send.after": "it has been",
  "server.gone": "a stream has ended, the domain does not know it yet",
  "server.close": "the server is about to end in good order",
  "store.lease.take.before": "a lease is about to be taken",
  "store.lease.take.after": "it has been, the taker does not know it yet",
  "store.lease.renew.before": "a lease is about to be renewed",
  "store.lease.renew.after": "it has been, the holder does not know it yet",
  "store.lease.release.before": "a lease is about to be given back",
  "store.lease.release.after": "it has been, the giver does not know it yet",
  "store.memory.read": "what is remembered of a domain is about to be read",
  "store.memory.write.before": "what is to be remembered of a domain is about to be written",
  "store.memory.write.after": "it has been, the writer does not know it yet",
  "store.authority.before": "the authority's certificate and key are about to be kept",
  "store.authority.after": "they are, or another server's are",
  "store.enrol.before": "a host's certificate is about to be kept, and its seat taken",
  "store.enrol.after": "they have been, the host does not know it yet",
} as const;

/** A place by its name. */
export type FailpointName = keyof typeof failpointTable;

/** What may happen at a place. */
export const failpointDeeds = ["kill", "sleep", "error"] as const;
export type FailpointDeed = (typeof failpointDeeds)[number];

/** One place with what shall happen there. */
export interface ArmedFailpoint {
  readonly name: FailpointName;
  readonly deed: FailpointDeed;
  /** For "sleep" (ms). */
  readonly ms: number;
  /** At which visit it happens, from 1; 0: at every one. */
  readonly visit: number;
}

/** How a program carries deeds out. */
export interface FailpointHands {
  kill(): void;
  /** Stops the whole thread. */
  sleep(ms: number): void;
}

let visit: ((name: FailpointName) => void) | undefined;

/** Marks a place; see the module head. Throws when the place is armed with "error". */
export function failpoint(name: FailpointName): void {
  visit?.(name);
}

/** Arms these places from now on; an empty list disarms all. */
export function armFailpoints(armed: readonly ArmedFailpoint[], hands: FailpointHands): void {
  const visits = new Map<FailpointName, number>();
  const at = (name: FailpointName) => {
    const count = (visits.get(name) ?? 0) + 1;
    visits.set(name, count);
    for (const point of armed) {
      if (point.name !== name || (point.visit !== 0 && point.visit !== count)) continue;
      if (point.deed === "kill") hands.kill();
      else if (point.deed === "sleep") hands.sleep(point.ms);
      else throw new Error(`failpoint ${name}`);
    }
  };
  visit = armed.length === 0 ? undefined : at;
}

const SPEC = /^([\w.]+)=(kill|error|sleep:(\d{1,7}))(?:@(\d{1,9}|\*))?$/;

/**
 * Reads "name=kill", "name=error", "name=sleep:MS", each at the first visit, or at another one with
 * "@N" behind it, or at all with "@*"; several are parted by semicolons.
 *
 * @returns the places, or what of the text makes no sense
 */
export function parseFailpoints(text: string): readonly ArmedFailpoint[] | { fault: string } {
  const armed: ArmedFailpoint[] = [];
  for (const part of text.split(";").map((p) => p.trim())) {
    if (part === "") continue;
    const match = SPEC.exec(part);
    if (!match) {
      return { fault: `"${part}" is no failpoint; write NAME=kill, NAME=error or NAME=sleep:MS` };
    }
    const [, name, deed, ms = "0", at = "1"] = match;
    if (!isFailpoint(name)) {
      const all = Object.keys(failpointTable).join(", ");
      return { fault: `there is no failpoint "${name}"; there is ${all}` };
    }
    armed.push({
      name,
      deed: deed.split(":")[0] as FailpointDeed,
      ms: Number(ms),
      visit: at === "*" ? 0 : Number(at),
    });
  }
  return armed;
}

const isFailpoint = (name: string): name is FailpointName => Object.hasOwn(failpointTable, name);
