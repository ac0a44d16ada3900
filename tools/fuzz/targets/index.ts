/** All targets by name. Each is made when it is used: making one may cost a second. */
import type { FuzzTarget } from "../target.ts";
import { configTarget } from "./config.ts";
import { coresTarget } from "./cores.ts";
import { probeTarget } from "./probe.ts";
import { protobufTarget } from "./protobuf.ts";
import { stateTarget } from "./state.ts";
import { traceTarget } from "./trace.ts";
import { wordsTarget } from "./words.ts";

export const targets: Readonly<Record<string, () => FuzzTarget>> = {
  probe: probeTarget,
  protobuf: protobufTarget,
  cores: coresTarget,
  config: configTarget,
  trace: traceTarget,
  state: stateTarget,
  words: wordsTarget,
};
