/** The text of a configuration file: a configuration, or two lines without a control character. */
import { create } from "@bufbuild/protobuf";
import {
  AgentConfigSchema,
  formatAgentConfig,
  LabClockSchema,
  LabLinkSchema,
  parseAgentConfig,
} from "@ttcs/protocol";
import { ByteMutator } from "../mutate.ts";
import { chance, type FuzzTarget, must } from "../target.ts";
import { TEXTS } from "../values.ts";

const FILE = "/etc/opt/ttcs/ttcs-agent.cfg";

/** Of a hundred files, so many are as long as a file may be (bytes). */
const LONG_PERCENT = 1;
const LONG_BYTES = 16_300;

const MANUAL = `# Copyright
management_address: "<AGENT IP/CIDR/INTERFACE>"
log_dir: "/var/opt/ttcs/log"
subscription_mode: true
coordinator_address: "0.0.0.0"
coordinator_subscription_service_port: 6176
probe_address: "<AGENT IP/CIDR/INTERFACE>"
clock_quality: 1
correct_clock: true
`;

const FORGOTTEN = `1 management_address: 10.1.10.20/16
probe_address: eth0 # no quotes
coordinator_address: "10.1.10.1
standby_coordinator_addresses: ["a:1", 'b']
lab_clock { state_dir: "x" link: < loss: 0.5, jitter_ns: 1e3f; > seed: 0x7 }
`;

/** All fields with a value of their own. */
function fullConfig(): string {
  const filled = (
    schema: typeof AgentConfigSchema | typeof LabClockSchema | typeof LabLinkSchema,
  ) => {
    const scalars = schema.fields.filter((f) => f.fieldKind === "scalar");
    const value = { 1: 0.5, 8: true, 9: "10.1.10.20", 13: 7, 16: 9n } as const;
    return Object.fromEntries(
      scalars.map((f) => [f.localName, value[f.scalar as keyof typeof value]]),
    );
  };
  const link = create(LabLinkSchema, filled(LabLinkSchema));
  const labClock = create(LabClockSchema, { ...filled(LabClockSchema), link });
  const standbys = ["10.1.10.2", "10.1.10.3:6176"];
  const caFingerprint = `sha256:${"0a".repeat(32)}`;
  const more = { standbyCoordinatorAddresses: standbys, caFingerprint, labClock };
  const all = { ...filled(AgentConfigSchema), ...more };
  return formatAgentConfig(create(AgentConfigSchema, all));
}

const WORDS = [
  ...[AgentConfigSchema, LabClockSchema, LabLinkSchema].flatMap((s) =>
    s.fields.map((f) => `${f.name}: `),
  ),
  ...TEXTS,
  ..."\n|\r\n|\t|{|}|<|>|[|]|,|;|:|#|\"|'|\\|-|true|nan|-inf|1e999|0x|\\u0041|\\xff|\\777|[a.b/c]".split(
    "|",
  ),
];

/** The file, with its last part again and again. */
function repeated(input: Uint8Array): Uint8Array {
  const tail = input.subarray(-40);
  const long = new Uint8Array(Math.max(input.length, LONG_BYTES));
  long.set(input);
  for (let at = input.length; tail.length > 0 && at < long.length; at += tail.length) {
    long.set(tail.subarray(0, long.length - at), at);
  }
  return long;
}

export function configTarget(): FuzzTarget {
  const mutator = new ByteMutator(WORDS);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const full = fullConfig();
  return {
    cases: 50_000,
    limitMs: 50,
    seeds: [MANUAL, FORGOTTEN, full, `${full}${"# a comment\n".repeat(50)}`].map((text) =>
      encoder.encode(text),
    ),
    mutate(random, pool) {
      const input = mutator.mutate(random, pool);
      return chance(random, LONG_PERCENT) ? repeated(input) : input;
    },
    run(input) {
      const result = parseAgentConfig(decoder.decode(input), FILE);
      if (!result.ok) {
        const [first, second, ...more] = result.message.split("\n");
        must(more.length === 0 && second !== undefined, "a message that is not two lines");
        must(!/\p{Cc}/u.test(first + second), "a control character in a message");
        must(/: \d+:\d+: ./.test(second), "a message without line and column");
        return false;
      }
      const { clockQuality, probePort, agentPort, managementAddress } = result.config;
      must(clockQuality >= 1 && clockQuality <= 255, "a clock_quality out of range");
      must(probePort <= 65_535 && agentPort <= 65_535, "a port out of range");
      must(managementAddress !== "", "an empty address");
      return true;
    },
  };
}
