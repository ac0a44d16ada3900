// Bundles the programs into packages/cli/dist: one file each, so that an agent starts quickly and
// holds little memory. koffi stays outside: it loads its native part by path.
import { build } from "esbuild";

const cli = new URL("../packages/cli/", import.meta.url).pathname;

await build({
  entryPoints: {
    ttcs: `${cli}src/ttcs.ts`,
    "ttcs-agentq": `${cli}src/ttcs-agentq.ts`,
    "bench-worker": `${cli}src/bench/worker.ts`,
    "swarm-worker": `${cli}src/simulate/swarm-worker.ts`,
    "sqlite-worker": `${cli}../store/src/sqlite-worker.ts`,
    "timestamper-worker": `${cli}../timestamper/src/worker.ts`,
  },
  outdir: `${cli}dist`,
  bundle: true,
  splitting: false,
  platform: "node",
  format: "esm",
  target: "node24",
  // Smaller programs start sooner; names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: "linked",
  external: ["koffi"],
  // grpc-js and pino are CommonJS; the bundle needs a require of its own for them.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
