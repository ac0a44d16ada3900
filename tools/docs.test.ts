/** Keeps the documents true where a machine can tell: files and links that they name exist. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SOFTWARE_VERSION } from "@ttcs/units";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const documents = [
  ...readdirSync(root).filter((f) => f.endsWith(".md")),
  ...readdirSync(join(root, "docs")).flatMap((f) => (f.endsWith(".md") ? [`docs/${f}`] : [])),
];
const text = (file: string) => readFileSync(join(root, file), "utf8");

test("every file of the repository that a document names exists", () => {
  const missing: string[] = [];
  for (const document of documents) {
    for (const [, path] of text(document).matchAll(/`((?:packages|tools|docs)\/[^`\s*]+)`/g)) {
      if (!existsSync(join(root, path))) missing.push(`${document}: ${path}`);
    }
  }
  expect(missing).toEqual([]);
});

test("every link between documents leads somewhere", () => {
  const missing: string[] = [];
  for (const document of documents) {
    for (const [, target] of text(document).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      if (!existsSync(join(root, document, "..", target))) missing.push(`${document}: ${target}`);
    }
  }
  expect(missing).toEqual([]);
});

test("ARCHITECTURE.md follows a probe through every room that it passes", () => {
  const way = text("ARCHITECTURE.md").split("## The way of a probe")[1].split("## Rooms")[0];
  for (const room of [
    "timestamper",
    "protocol",
    "agent",
    "estimator",
    "coordinator",
    "discipline",
  ]) {
    expect(way).toContain(`packages/${room}/src/`);
  }
});

test("every npm command that a document names is a script", () => {
  const { scripts } = JSON.parse(text("package.json"));
  for (const document of documents) {
    for (const [, name] of text(document).matchAll(/npm run ([a-z0-9:-]+)/g)) {
      expect([document, name, name in scripts]).toEqual([document, name, true]);
    }
  }
});

test("the programs tell the version of package.json, and so does every package", () => {
  const { version } = JSON.parse(text("package.json"));
  expect(SOFTWARE_VERSION).toBe(version);
  for (const room of readdirSync(join(root, "packages"))) {
    expect([room, JSON.parse(text(`packages/${room}/package.json`)).version]).toEqual([
      room,
      version,
    ]);
  }
});
