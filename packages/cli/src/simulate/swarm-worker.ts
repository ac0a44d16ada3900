/** A worker thread of the swarm: some seeds in, what they came to out. */
import { parentPort } from "node:worker_threads";
import { runSwarmJob, type SwarmJob } from "@ttcs/simulator";

parentPort?.on("message", (job: SwarmJob) => parentPort?.postMessage(runSwarmJob(job)));
