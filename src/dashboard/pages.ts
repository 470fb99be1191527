/** The pages as they were built: a few files, read once, so that no request names a path on the disk. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../errors.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export interface PageFile {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly type: string;
}

/** By URL path. Throws UserError where the pages were not built. */
export function readPages(): ReadonlyMap<string, PageFile> {
  // The same place for the sources in src/dashboard and the built files in dist/dashboard.
  const folder = fileURLToPath(new URL("../../dist/web", import.meta.url));
  if (!existsSync(join(folder, "index.html"))) {
    throw new UserError(`expected the built pages in ${folder}, got none: run \`npm run build\` first`);
  }
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        const type = TYPES[extname(path)] ?? "application/octet-stream";
        return [`/${relative(folder, path).split(sep).join("/")}`, { bytes: readFileSync(path), type }];
      }),
  );
}
