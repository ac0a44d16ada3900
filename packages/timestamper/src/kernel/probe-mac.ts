/** The probes' MAC by Node's library: some 3 us, and an object or two each time, which cannot be helped. */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { ProbeMac } from "@ttcs/protocol";

/** See the module head. */
export const probeMac: ProbeMac<KeyObject> = {
  keyOf: (bytes) => createSecretKey(bytes),
  mac: (key, data) => createHmac("sha256", key).update(data).digest(),
};
