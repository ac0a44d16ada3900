import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { formatAgentConfig, parseAgentConfig } from "./config.ts";
import { AgentConfigSchema } from "./gen/clocksync/config_pb.js";

const file = "/etc/opt/ttcs/ttcs-agent.cfg";

/** The file of the user manual, as it is handed out. */
const manual = `management_address: "<AGENT IP/CIDR/INTERFACE>"
log_dir: "/var/opt/ttcs/log"
subscription_mode: true
coordinator_address: "0.0.0.0"
coordinator_subscription_service_port: 6176
probe_address: "<AGENT IP/CIDR/INTERFACE>"
clock_quality: 1
correct_clock: true
`;

const minimal = `management_address: "10.1.10.20"
probe_address: "eth0"
coordinator_address: "10.1.10.1"
`;

function read(text: string) {
  const result = parseAgentConfig(text, file);
  if (!result.ok) throw new Error(result.message);
  return result.config;
}

/** The second line of the message, behind its fixed beginning. */
function refusal(text: string): string {
  const result = parseAgentConfig(text, file);
  if (result.ok) throw new Error("was accepted");
  const lines = result.message.split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe(`Unable to parse config file ${file}`);
  const beginning = "Error parsing text-format clocksync.AgentConfig: ";
  expect(lines[1].slice(0, beginning.length)).toBe(beginning);
  return lines[1].slice(beginning.length);
}

describe("a configuration file", () => {
  it("is read as the manual prints it", () => {
    expect(read(manual)).toMatchObject({
      managementAddress: "<AGENT IP/CIDR/INTERFACE>",
      logDir: "/var/opt/ttcs/log",
      subscriptionMode: true,
      coordinatorAddress: "0.0.0.0",
      coordinatorSubscriptionServicePort: 6176,
      probeAddress: "<AGENT IP/CIDR/INTERFACE>",
      clockQuality: 1,
      correctClock: true,
    });
  });

  it("gets its defaults, and writes no clock unless told to", () => {
    expect(read(minimal)).toMatchObject({
      coordinatorSubscriptionServicePort: 6176,
      clockQuality: 1,
      correctClock: false,
      hostId: "",
      domain: "default",
      region: "default",
      probePort: 319,
      agentPort: 6171,
      statusSocket: "/run/ttcs/agent.sock",
      stateDir: "/var/opt/ttcs/state",
    });
  });

  it("keeps what it says instead of a default, a port of 0 included", () => {
    const config = read(
      `${minimal}domain: "lab" region: "east" probe_port: 0 agent_port: 0 clock_quality: 10
       status_socket: "/tmp/s" host_id: "h1" coordinator_subscription_service_port: 7000`,
    );
    expect(config).toMatchObject({
      domain: "lab",
      region: "east",
      probePort: 0,
      agentPort: 0,
      clockQuality: 10,
      statusSocket: "/tmp/s",
      hostId: "h1",
      coordinatorSubscriptionServicePort: 7000,
    });
  });

  it("may have comments, a byte-order mark and lines that end in CR LF", () => {
    const text = `\uFEFF# our agent\n${manual.replace("true", "true # managed")}`;
    expect(read(text.replaceAll("\n", "\r\n"))).toEqual(read(manual));
  });

  it("comes back from its printed form", () => {
    const config = create(AgentConfigSchema, {
      managementAddress: "127.0.0.1",
      probeAddress: "127.0.0.1",
      coordinatorAddress: "127.0.0.1",
      coordinatorSubscriptionServicePort: 40001,
      clockQuality: 10,
      correctClock: true,
      hostId: 'host"1"',
      domain: "lab",
      region: "default",
      probePort: 0,
      agentPort: 0,
      statusSocket: "/tmp/ttcs/agent.sock",
      stateDir: "/tmp/ttcs/state",
      labClock: {
        seed: 7,
        index: 3,
        stateDir: "/tmp/ttcs/3",
        startKernelRawNs: 2n ** 62n + 1n,
        startUnixNs: 1_790_000_000_123_456_789n,
        timeDaemon: true,
        link: {
          baseDelayNs: 50_000,
          jitterNs: 1e4,
          loss: 0.01,
          asymmetryNs: -5,
          asymmetricShare: 1,
        },
      },
    });
    expect(read(formatAgentConfig(config))).toEqual(config);
  });
});

describe("a broken configuration file", () => {
  it.each([
    ['log_dir: "x"\nmanagement_address: 10.1.10.20\n', "2:21", 'management_address: "10.1.10.20"'],
    ["probe_address: eth0 # the fast one", "1:16", 'probe_address: "eth0"'],
    ["probe_address: 10.1.0.0/16", "1:16", 'probe_address: "10.1.0.0/16"'],
    ["log_dir: /var/opt/ttcs/log\r\nclock_quality: 1", "1:10", 'log_dir: "/var/opt/ttcs/log"'],
    ["probe_address: \u201C10.1.10.20\u201D", "1:16", 'probe_address: "10.1.10.20"'],
  ])("names the place and the remedy of the unquoted value in %j", (text, place, remedy) => {
    const message = refusal(text);
    expect(message.startsWith(`${place}: `)).toBe(true);
    expect(message.endsWith(`; put double quotes around it: ${remedy}`)).toBe(true);
  });

  it.each([
    [
      'log_dir: "a" log_dri: "b"',
      '1:14: unknown field "log_dri" for message clocksync.AgentConfig',
    ],
    ["# a\nclock_quality: 1\ncorrect_clock: yes", '3:16: expected a bool, got "yes"'],
    ['clock_quality: "1 or 2"', "1:16: expected"],
    ["lab_clock {\n  sed: 1\n}", '2:3: unknown field "sed"'],
    ["clock_quality: 1\r\nclock_quality: 2", '2:1: non-repeated field "clock_quality" is repeated'],
    ["clock_quality: -1", "1:16: an unsigned field does not accept a negative value"],
    ['log_dir: "a" host_id: "b\ndomain: "c"', "1:23: invalid U+000A in string"],
    ["correct_clock true", '1:1: expected ":" before value of field "correct_clock"'],
  ])("names the place and the fault of %j", (text, beginning) => {
    const message = refusal(text);
    expect(message.slice(0, beginning.length)).toBe(beginning);
    expect(message).not.toContain("quotes around");
  });

  it("is told to drop line numbers copied from the manual", () => {
    const numbered = manual.replace(/^/gm, "1 ");
    expect(refusal(numbered)).toBe(
      "1:1: cannot specify field by number: 1; remove the line numbers in front of the fields",
    );
  });

  it.each([
    ["clock_quality: 256", "4:1: clock_quality is 256; set it to a number from 1 to 255"],
    [
      'probe_port: 65536 # probe_port\nhost_id: "probe_port:1"',
      "4:1: probe_port is 65536; set it to a number from 0 to 65535",
    ],
    ["agent_port: 70000", "4:1: agent_port is 70000; set it to a number from 0 to 65535"],
    [
      " coordinator_subscription_service_port: 65536",
      "4:2: coordinator_subscription_service_port is 65536; set it to a number from 1 to 65535",
    ],
    ['domain: "my hosts"', '4:1: domain is "my hosts"; use at most 253 characters, without blanks'],
    ["lab_clock {}", "4:1: lab_clock is without state_dir; name a folder for the control log"],
    [
      'lab_clock { state_dir: "x" link { loss: 1.5 } }',
      "4:35: loss is 1.5; set it to a number from 0 to 1",
    ],
    [
      'lab_clock { state_dir: "x" link { jitter_ns: nan } }',
      "4:35: jitter_ns is NaN; set it to a finite number of at least 0",
    ],
  ])("is told the range that %j breaks", (line, message) => {
    expect(refusal(minimal + line)).toBe(message);
  });

  it("is told which address is missing", () => {
    expect(refusal("")).toBe(
      '1:1: management_address is missing; set it to the address of this host, in double quotes, e.g. management_address: "10.1.10.20"',
    );
    expect(refusal(minimal.replace('"eth0"', '""'))).toContain('2:1: probe_address is "";');
    expect(refusal(minimal.replace(/^coord.*$/m, ""))).toContain("coordinator_address is missing");
  });

  it("is refused when it is far too long, and stays on two lines whatever it contains", () => {
    expect(refusal(`# ${"x".repeat(70_000)}`)).toContain("shorten it");
    refusal('"\\n\u0085"');
    refusal("\u0000\n\n");
    const smuggled = [
      "probe_address: \u001b[31mred\u0007",
      'management_address: "a" probe_address: "b" coordinator_address: "c" domain: "\\302\\233m"',
    ];
    for (const text of smuggled) expect(refusal(text)).not.toMatch(/\p{Cc}/u);
  });
});
