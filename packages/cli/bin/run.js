import { existsSync } from "node:fs";

/** Starts a built program, or says in one line what keeps it from starting. */
export async function run(name) {
  const [major] = process.versions.node.split(".");
  if (Number(major) < 24) {
    console.error(
      `${name}: needs Node 24 or later, this is ${process.version}; run it as: npx ${name}`,
    );
    process.exit(2);
  }
  const built = new URL(`../dist/${name}.js`, import.meta.url);
  if (!existsSync(built)) {
    console.error(`${name}: not built yet; run: npm run build`);
    process.exit(2);
  }
  await import(built.href);
}
