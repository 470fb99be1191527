// Prepares the ONNX runtime for the package, which carries it (bundleDependencies): takes its install step away.
//
// That step downloads CUDA libraries from outside the npm registry. No CPU or WebGPU run uses them, the download is
// large, and where it cannot be reached the whole installation fails. No setting of this package could switch it off in
// the projects of its users. What only the install step needs (its dependencies) is left out as well. `npm ci` puts
// everything back.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What the runtime's own code imports; everything else it depends on serves the install step. */
const NEEDED = ["onnxruntime-common"];

const path = fileURLToPath(new URL("../node_modules/onnxruntime-node/package.json", import.meta.url));
const { scripts: _, devDependencies: __, ...manifest } = JSON.parse(readFileSync(path, "utf8"));
const dependencies = Object.fromEntries(NEEDED.map((name) => [name, manifest.dependencies[name]]));
// A new file in place of the old one: package managers may share the old one's bytes with other projects.
writeFileSync(`${path}.new`, `${JSON.stringify({ ...manifest, dependencies }, null, 2)}\n`);
renameSync(`${path}.new`, path);
