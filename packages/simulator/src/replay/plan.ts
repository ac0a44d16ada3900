/**
 * What `trace.json` says of a recording: hosts, edges, the reference.
 *
 * The file comes from outside, so that nothing here throws: a fault is told with the value that is
 * wrong, as it stands in the file, so that the caller can find its line.
 */

/** Where the stamps of a recording were taken. */
export type Timestamping = "hardware" | "kernel" | "user";

/** One host of a recording. */
export interface TraceHost {
  readonly id: string;
  readonly region: string;
  readonly clockQuality: number;
}

/** A recording. Hosts are known by their index from here on. */
export interface TracePlan {
  readonly timestamping: Timestamping;
  readonly hosts: readonly TraceHost[];
  /** Index of the host whose free-running clock is the axis of time. */
  readonly reference: number;
  /** Unordered pairs of hosts that probe each other. */
  readonly edges: readonly (readonly [number, number])[];
}

/** A plan, or what is wrong and with which value (undefined: nothing to point at). */
export type PlanResult =
  | { readonly ok: true; readonly plan: TracePlan }
  | { readonly ok: false; readonly reason: string; readonly value: unknown };

const TIMESTAMPING: readonly unknown[] = ["hardware", "kernel", "user"];
/** A mark that cannot stand in a field of the CSV files. */
const NO_FIELD = /[,"\r\n]/;
const VERSION = 1;

const wrong = (reason: string, value?: unknown): PlanResult => ({ ok: false, reason, value });
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Checks what `trace.json` holds. */
export function readPlan(json: unknown): PlanResult {
  if (!isRecord(json)) return wrong("is no object");
  if (json.version !== VERSION) return wrong(`version is not ${VERSION}`, json.version);
  if (!TIMESTAMPING.includes(json.timestamping)) {
    return wrong("timestamping is not hardware, kernel or user", json.timestamping);
  }
  if (!Array.isArray(json.hosts) || json.hosts.length === 0) {
    return wrong("hosts is no list of hosts", json.hosts);
  }
  const hosts: TraceHost[] = [];
  const index = new Map<string, number>();
  for (const entry of json.hosts) {
    const host = readHost(entry);
    if (typeof host === "string") return wrong(host, isRecord(entry) ? entry.id : entry);
    if (index.has(host.id)) return wrong("two hosts have one id", host.id);
    index.set(host.id, hosts.length);
    hosts.push(host);
  }
  if (!Array.isArray(json.edges)) return wrong("edges is no list of pairs", json.edges);
  const edges: (readonly [number, number])[] = [];
  const seen = new Set<string>();
  for (const edge of json.edges) {
    if (!Array.isArray(edge) || edge.length !== 2) return wrong("an edge is no pair of ids", edge);
    for (const end of edge) if (!index.has(end)) return wrong("an edge names an unknown host", end);
    const [a, b] = edge.map((end) => index.get(end)!);
    if (a === b) return wrong("an edge joins a host with itself", edge[0]);
    const key = `${Math.min(a, b)}-${Math.max(a, b)}`;
    if (!seen.has(key)) edges.push([a, b]);
    seen.add(key);
  }
  const reference =
    json.reference === undefined ? best(hosts) : index.get(json.reference as string);
  if (reference === undefined) return wrong("reference is an unknown host", json.reference);
  const timestamping = json.timestamping as Timestamping;
  return { ok: true, plan: { timestamping, hosts, reference, edges } };
}

function readHost(entry: unknown): TraceHost | string {
  if (!isRecord(entry)) return "a host is no object";
  const { id, region = "", clock_quality: clockQuality = 1 } = entry;
  if (typeof id !== "string" || id === "" || NO_FIELD.test(id)) {
    return "a host has no id that fits in a CSV field";
  }
  if (typeof region !== "string") return "the region of a host is no text";
  if (typeof clockQuality !== "number") return "the clock_quality of a host is no number";
  return { id, region, clockQuality };
}

/** The highest clock_quality; among equals the first. */
function best(hosts: readonly TraceHost[]): number {
  let found = 0;
  hosts.forEach((host, i) => {
    if (host.clockQuality > hosts[found].clockQuality) found = i;
  });
  return found;
}
