/**
 * The agent's configuration file.
 *
 * Problem: people write this file by hand on many hosts, and forget quotation marks. What is wrong
 * has to be said with line, column, value and remedy.
 *
 * Approach: protobuf text format into `AgentConfig`, then defaults and ranges as the schema's
 * comments give them. The first fault found is the one reported.
 *
 * What it cannot see: whether an ordinary number or boolean was written or left out. A number of 0
 * therefore means its default, and a missing `correct_clock` means false: a clock is written only
 * where the file says so. Whether an address belongs to the host is for the agent to find out;
 * `host_id` stays empty when absent, because only the agent knows the machine's hostname.
 */
import { ScalarType } from "@bufbuild/protobuf";
import { fromText, toText } from "@bufbuild/protobuf/txtpb";
import {
  type AgentConfig,
  AgentConfigSchema,
  type LabClock,
  LabClockSchema,
} from "./gen/clocksync/config_pb.js";
import { fieldOnLine, findError, findField, type TextPosition } from "./text-position.ts";

/**
 * Longest file that is read (characters): thirty times the usual one, and told in milliseconds where
 * its fault is.
 */
const MAX_CHARACTERS = 16_384;
/** Longest name of a host, domain or region (characters), as for a name in the DNS. */
const MAX_NAME_CHARACTERS = 253;
const PORT_MAX = 65_535;
const CLOCK_QUALITY_MAX = 255;

const DEFAULT_COORDINATOR_PORT = 6176;
const DEFAULT_PROBE_PORT = 319;
const DEFAULT_AGENT_PORT = 6171;
const DEFAULT_CLOCK_QUALITY = 1;
const DEFAULT_NAME = "default";
const DEFAULT_STATE_DIR = "/var/opt/ttcs/state";
const DEFAULT_STATUS_SOCKET = "/run/ttcs/agent.sock";

/** A configuration with every default in its place, or two lines that say what is wrong. */
export type AgentConfigResult =
  | { ok: true; config: AgentConfig & { probePort: number; agentPort: number } }
  | { ok: false; message: string };

/** What a field's value breaks: its name in the file, the value, and what to write instead. */
interface Fault {
  readonly field: string;
  readonly value: string | number;
  readonly remedy: string;
}

/**
 * Reads the text of a configuration file. `file` is its path, for the message alone.
 *
 * All defaults are applied, but `hostId` stays empty when absent.
 */
export function parseAgentConfig(text: string, file: string): AgentConfigResult {
  const refuse = (detail: string): AgentConfigResult => ({
    ok: false,
    message: `Unable to parse config file ${file}\nError parsing text-format ${AgentConfigSchema.typeName}: ${oneLine(detail)}`,
  });
  if (text.length > MAX_CHARACTERS) {
    return refuse(
      `1:1: the file has ${text.length} characters; shorten it to at most ${MAX_CHARACTERS}`,
    );
  }
  // A byte-order mark means nothing and would shift the first line's columns.
  const plain = text.replace(/^\uFEFF/, "");
  const parsed = tryParse(plain);
  if (typeof parsed === "string") return refuse(describeError(plain, parsed));
  const config = applyDefaults(parsed);
  const fault = findFault(config);
  if (fault !== undefined) return refuse(describeFault(plain, fault));
  return { ok: true, config };
}

/** The configuration as the text of a file, one field per line. */
export function formatAgentConfig(config: AgentConfig): string {
  return toText(AgentConfigSchema, config);
}

function tryParse(text: string): AgentConfig | string {
  try {
    return fromText(AgentConfigSchema, text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function describeError(text: string, detail: string): string {
  const at = findError(text, (prefix) => {
    const parsed = tryParse(prefix);
    return typeof parsed === "string" ? parsed : undefined;
  });
  return `${formatPosition(at)}: ${detail}${hintFor(text, at.line, detail)}`;
}

/** What to do about the two faults that nearly everybody meets first; empty for the others. */
function hintFor(text: string, line: number, detail: string): string {
  if (detail.startsWith("cannot specify field by number")) {
    return "; remove the line numbers in front of the fields";
  }
  const written = fieldOnLine(text, line);
  if (written === undefined || !isStringField(written.name)) return "";
  const { name, value } = written;
  if (value === "" || /^["']/.test(value)) return "";
  const bare = value.replace(/[\u201C\u201D\u201E"]/g, "");
  return `; put double quotes around it: ${name}: "${bare}"`;
}

function isStringField(name: string): boolean {
  return [AgentConfigSchema, LabClockSchema].some((schema) =>
    schema.fields.some((field) => field.name === name && field.scalar === ScalarType.STRING),
  );
}

function applyDefaults(
  config: AgentConfig,
): AgentConfig & { probePort: number; agentPort: number } {
  return Object.assign(config, {
    coordinatorSubscriptionServicePort:
      config.coordinatorSubscriptionServicePort || DEFAULT_COORDINATOR_PORT,
    clockQuality: config.clockQuality || DEFAULT_CLOCK_QUALITY,
    domain: config.domain || DEFAULT_NAME,
    region: config.region || DEFAULT_NAME,
    probePort: config.probePort ?? DEFAULT_PROBE_PORT,
    agentPort: config.agentPort ?? DEFAULT_AGENT_PORT,
    statusSocket: config.statusSocket || DEFAULT_STATUS_SOCKET,
    stateDir: config.stateDir || DEFAULT_STATE_DIR,
  });
}

function findFault(config: AgentConfig): Fault | undefined {
  return (
    missing("management_address", config.managementAddress, "this host") ??
    missing("probe_address", config.probeAddress, "this host") ??
    missing("coordinator_address", config.coordinatorAddress, "the coordinator") ??
    outside(
      "coordinator_subscription_service_port",
      config.coordinatorSubscriptionServicePort,
      1,
      PORT_MAX,
    ) ??
    outside("clock_quality", config.clockQuality, 1, CLOCK_QUALITY_MAX) ??
    outside("probe_port", config.probePort ?? 0, 0, PORT_MAX) ??
    outside("agent_port", config.agentPort ?? 0, 0, PORT_MAX) ??
    badName("host_id", config.hostId) ??
    badName("domain", config.domain) ??
    badName("region", config.region) ??
    badFingerprint("ca_fingerprint", config.caFingerprint) ??
    (config.labClock === undefined ? undefined : findLabFault(config.labClock))
  );
}

function findLabFault(lab: LabClock): Fault | undefined {
  if (lab.stateDir === "") {
    const remedy = "name a folder for the control log";
    return { field: "lab_clock", value: "without state_dir", remedy };
  }
  const link = lab.link;
  if (link === undefined) return undefined;
  return (
    outside("base_delay_ns", link.baseDelayNs, 0, Number.MAX_VALUE) ??
    outside("jitter_ns", link.jitterNs, 0, Number.MAX_VALUE) ??
    outside("loss", link.loss, 0, 1) ??
    outside("asymmetry_ns", link.asymmetryNs, -Number.MAX_VALUE, Number.MAX_VALUE) ??
    outside("asymmetric_share", link.asymmetricShare, 0, 1)
  );
}

/** What a fingerprint looks like in a configuration. */
const FINGERPRINT = /^sha256:[0-9a-f]{64}$/;

function badFingerprint(field: string, value: string): Fault | undefined {
  if (value === "" || FINGERPRINT.test(value)) return undefined;
  const remedy = 'write "sha256:" and 64 hexadecimal digits, as ttcs token new prints them';
  return { field, value: JSON.stringify(value), remedy };
}

function missing(field: string, value: string, whose: string): Fault | undefined {
  if (value.trim() !== "") return undefined;
  const remedy = `set it to the address of ${whose}, in double quotes, e.g. ${field}: "10.1.10.20"`;
  return { field, value: '""', remedy };
}

function outside(field: string, value: number, low: number, high: number): Fault | undefined {
  // Written so that NaN is outside.
  if (value >= low && value <= high) return undefined;
  const remedy =
    high === Number.MAX_VALUE
      ? `set it to a finite number${low === 0 ? " of at least 0" : ""}`
      : `set it to a number from ${low} to ${high}`;
  return { field, value, remedy };
}

function badName(field: string, value: string): Fault | undefined {
  if (value.length <= MAX_NAME_CHARACTERS && !/[\s\p{Cc}]/u.test(value)) return undefined;
  const remedy = `use at most ${MAX_NAME_CHARACTERS} characters, without blanks`;
  return { field, value: JSON.stringify(value), remedy };
}

function describeFault(text: string, fault: Fault): string {
  const at = findField(text, fault.field);
  if (at === undefined) return `1:1: ${fault.field} is missing; ${fault.remedy}`;
  return `${formatPosition(at)}: ${fault.field} is ${fault.value}; ${fault.remedy}`;
}

const formatPosition = (at: TextPosition): string => `${at.line}:${at.column}`;

/** Keeps the message on its line and harmless on a terminal, whatever the file smuggled into it. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ");
