/**
 * Faults of operation, each with a code from one table. The text says what failed, with which
 * value, and what to do. The manual's messages stand here literally.
 */
export const errorTable = {
  CONFIG_UNREADABLE: "Unable to parse config file {file}: {detail}",
  CONFLICTING_PROCESS: "Conflicting process(es) disciplining clock: {names}",
  AGENT_SERVER: "Failed to create agent server: {detail}",
  PROBE_INTERFACE: "Failed to fetch interface for probe IP {address}: {detail}",
  PROBE_SOCKET: "Cannot open probe socket on {address} port {port}: {detail}",
  NO_KERNEL_STAMPS: "No kernel time stamps on {address}: {detail}",
  SUBSCRIBE: "Failed to subscribe to coordinator {address}: {detail}",
  COORDINATOR_SERVER: "Failed to create coordinator server on {address}: {detail}",
  AUTHORITY: "Cannot open the certificate authority: {detail}",
  ENROLMENT: "Failed to enrol at coordinator {address}: {detail}",
  KERNEL_CALL: "{call} failed with {errno}: {detail}",
  AGENT_UNREACHABLE: "Cannot reach the agent at {address}: {detail}",
} as const;

/** A code of the table. */
export type ErrorCode = keyof typeof errorTable;

/** An operational fault with its code and fields; `message` is the filled-in text. */
export class TtcsError extends Error {
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, string | number>>;

  constructor(
    code: ErrorCode,
    fields: Readonly<Record<string, string | number>>,
    options?: { cause?: unknown },
  ) {
    const text = errorTable[code].replace(/\{(\w+)\}/g, (_, key) => String(fields[key] ?? "?"));
    super(text, options);
    this.name = "TtcsError";
    this.code = code;
    this.fields = fields;
  }
}
