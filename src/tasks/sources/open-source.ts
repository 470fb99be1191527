/** Opens where rows come from. */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { shown, UserError } from "../../errors.js";
import { isHubReference } from "../../hub/reference.js";
import { openHub } from "./hub.js";
import type { Source, SourceFolder } from "./source.js";

/** Opens a path or `hub:owner/name`. Throws UserError if nothing is there. */
export async function openSource(reference: string): Promise<Source> {
  if (isHubReference(reference)) return openHub(reference);
  const found = await stat(reference).catch(() => {
    throw new UserError(
      `expected a file or folder, got ${shown(reference)}, which does not exist${hubHint(reference)}`,
    );
  });
  return found.isDirectory()
    ? { kind: "folder", pinned: reference, folder: localFolder(reference) }
    : { kind: "file", pinned: reference, path: reference };
}

/** `openai/gsm8k` looks like a path, and may be meant as a name on the hub. */
function hubHint(path: string): string {
  const name = /(?:^|[\\/])([\w-][\w.-]*)[\\/]([\w-][\w.-]*)$/.exec(path);
  return name === null || /\.\w{3,7}$/.test(path)
    ? ""
    : `; a data set on the Hugging Face hub is written hub:${name[1]}/${name[2]}`;
}

function localFolder(root: string): SourceFolder {
  return {
    name: shown(root),
    async entries(path) {
      const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => null);
      if (entries === null) return null;
      // Links count as what they point to; the cache of the hub's own client is made of them.
      const kinds = await Promise.all(
        entries.map(async (entry) =>
          entry.isSymbolicLink() ? stat(join(root, path, entry.name)).catch(() => entry) : entry,
        ),
      );
      const names = (folders: boolean) =>
        entries
          .filter((_, index) => kinds[index]?.isDirectory() === folders)
          .map((entry) => entry.name)
          .sort();
      return { files: names(false), folders: names(true) };
    },
    fetch: async (path) => join(root, path),
  };
}
