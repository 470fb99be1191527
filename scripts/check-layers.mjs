// Imports point down the layers of docs/architecture.md, and never in a circle. Prints those that do not, and fails if
// there are any.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** From the top. Rooms of one layer do not import from each other. */
const LAYERS = [
  ["index", "cli"],
  ["dashboard", "trackers", "export"],
  ["report"],
  ["analysis"],
  ["run"],
  ["tasks", "engine"],
  ["algorithm", "hub"],
  ["settings", "statistics", "workers", "system-errors"],
  ["errors"],
];

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;
const files = execFileSync("git", ["ls-files", "src/*.ts"], { encoding: "utf8" }).split("\n").filter(Boolean);
const importsOf = new Map(
  files.map((file) => [
    file,
    [...readFileSync(file, "utf8").matchAll(IMPORT)].map(([, path]) =>
      posix.normalize(join(dirname(file), path)).replace(/\.js$/, ".ts"),
    ),
  ]),
);

const roomOf = (file) => file.split("/")[1].replace(/\.ts$/, "");
const layerOf = (room) => LAYERS.findIndex((rooms) => rooms.includes(room));

const problems = [];
for (const [file, imports] of importsOf) {
  const from = roomOf(file);
  if (layerOf(from) < 0) problems.push(`${file}: src/${from} is in no layer: place it in scripts/check-layers.mjs`);
  for (const imported of imports.filter((path) => path.startsWith("src/"))) {
    const to = roomOf(imported);
    if (from === to) continue;
    if (layerOf(to) < layerOf(from)) problems.push(`${file} imports upwards: ${imported}`);
    else if (layerOf(to) === layerOf(from)) problems.push(`${file} imports sideways: ${imported}`);
  }
}

const finished = new Set();

/** A circle that can be reached from `file`, as a path; null where there is none. */
function circleFrom(file, path) {
  const start = path.indexOf(file);
  if (start >= 0) return [...path.slice(start), file];
  if (finished.has(file)) return null;
  for (const next of importsOf.get(file) ?? []) {
    const circle = circleFrom(next, [...path, file]);
    if (circle !== null) return circle;
  }
  finished.add(file);
  return null;
}
for (const file of files) {
  const circle = circleFrom(file, []);
  if (circle !== null) {
    problems.push(`imports in a circle: ${circle.join(" → ")}`);
    break;
  }
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}
