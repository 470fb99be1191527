// Packs the project and uses the package as its users do: in an empty folder, from the command line, from JavaScript
// and from TypeScript. Usage: node .ci/check-package.mjs SCRATCH_DIR

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const scratch = resolve(process.argv[2] ?? "");
const project = resolve(import.meta.dirname, "..");
const problems = [];

/** Runs a program and returns what it wrote to stdout; fails loudly with what it wrote to stderr. */
function run(program, args, cwd, env = process.env) {
  return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function expect(condition, message) {
  console.log(`${condition ? "ok  " : "FAIL"} ${message}`);
  if (!condition) problems.push(message);
}

// 1. What is in it. The scripts around `npm pack` may write to stdout too: the JSON is the last thing there.
const listing = run("npm", ["pack", "--json", "--pack-destination", scratch], project);
const [pack] = JSON.parse(listing.slice(listing.search(/^\[$/m)));
const paths = pack.files.map((file) => file.path);
for (const needed of [
  "LICENSE",
  "README.md",
  "dist/cli/main.js",
  "dist/index.js",
  "dist/index.d.ts",
  "dist/config.schema.json",
  "dist/web/index.html",
  "models/starter/config.json",
  "models/starter/model.safetensors",
  "models/starter/tokenizer.json",
]) {
  expect(paths.includes(needed), `the package holds ${needed}`);
}
// The runtime is bundled, without its install step: see scripts/bundle-runtime.mjs.
const own = paths.filter((path) => !/^node_modules\/onnxruntime-(node|common)\//.test(path));
const unwanted = own.filter((path) => /^(test|src|web|bench|runs|node_modules)\/|\.tsbuildinfo$|\.test\./.test(path));
expect(
  unwanted.length === 0,
  `the package holds no sources, tests or leftovers${unwanted.map((path) => ` ${path}`).join()}`,
);
console.log(`     ${pack.filename}: ${paths.length} files, ${(pack.size / 1e6).toFixed(1)} MB packed`);

// 2. Installed in an empty folder, as a user would: no flag, no setting, no environment variable.
const user = join(scratch, "user");
mkdirSync(user, { recursive: true });
writeFileSync(join(user, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|onnxruntime)/i.test(name)));
run("npm", ["install", join(scratch, pack.filename)], user, plain);

const command = join(user, "node_modules", ".bin", "adastar");
expect(run(command, ["--help"], user).includes("adastar"), "adastar --help");
expect(run(command, ["--version"], user).trim() === pack.version, "adastar --version");
const methods = JSON.parse(run(command, ["methods", "--json"], user));
expect(
  methods.some((method) => method.name === "adastar"),
  "adastar methods --json",
);
// The default task, on the embedded engine: short, but the real thing.
const short = ["--iterations", "1", "--steps", "2", "--train-size", "16", "--test-size", "8", "--json"];
const summary = JSON.parse(run("npx", ["--no-install", "adastar", "run", ...short], user, plain));
expect(summary.status === "done" && summary.iterations === 1, "npx adastar run: one iteration of the default task");

// 3. Imported.
const names = JSON.parse(
  run("node", ["--input-type=module", "-e", "console.log(JSON.stringify(Object.keys(await import('adastar'))))"], user),
);
expect(names.length > 0 && !names.includes("default"), `import gives ${names.length} named exports and no default`);
writeFileSync(
  join(user, "use.ts"),
  `import { METHODS, type Engine, type RunSummary } from "adastar";
export const tries: number | undefined = METHODS["adastar"]?.tries;
export const parametersOf = (engine: Engine): number => engine.model.parameters;
export const bestOf = (summary: RunSummary): number => summary.bestAccuracy;
// @ts-expect-error: types that are there and strict, not any.
export const wrong: string = METHODS["adastar"]?.tries;
`,
);
const compiler = join(project, "node_modules", "typescript", "bin", "tsc");
const compilerOptions = {
  noEmit: true,
  strict: true,
  module: "nodenext",
  target: "es2023",
  types: [],
  skipLibCheck: true,
};
writeFileSync(join(user, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
try {
  run("node", [compiler], user);
  expect(true, "TypeScript finds the types");
} catch (error) {
  console.log(error.stdout);
  expect(false, "TypeScript finds the types");
}

if (problems.length > 0) process.exit(1);
