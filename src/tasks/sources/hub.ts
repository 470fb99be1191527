/** Data sets on the Hugging Face hub as sources of rows: `hub:owner/name[@revision][/folder or file]`. */

import { shown, UserError } from "../../errors.js";
import { parseHubReference, pinnedReference } from "../../hub/reference.js";
import { HubSnapshot } from "../../hub/snapshot.js";
import type { Source, SourceFolder } from "./source.js";

/**
 * Opens what `text` names: a revision is resolved to its commit, and all that is read is of that commit. Throws
 * UserError when it does not exist, may not be read, or is neither in the cache nor in reach.
 */
export async function openHub(text: string): Promise<Source> {
  const reference = parseHubReference(text);
  const { name, revision, path } = reference;
  const snapshot = await HubSnapshot.open("dataset", name, revision);
  const pinned = pinnedReference(reference, snapshot.commit);
  if (snapshot.has(path)) return { kind: "file", pinned, path: await snapshot.fetch(path) };
  if (snapshot.entries(path) === null) {
    const { folders } = snapshot.entries("") ?? { folders: [] };
    throw new UserError(
      `expected a folder or file of hub:${name}, got ${shown(path)}; it has the folders ${folders.join(", ") || "(none)"}`,
    );
  }
  return { kind: "folder", pinned, folder: folderOf(snapshot, path, pinned) };
}

function folderOf(snapshot: HubSnapshot, root: string, name: string): SourceFolder {
  const within = (path: string) => [root, path].filter((part) => part !== "").join("/");
  return {
    name,
    entries: async (path) => snapshot.entries(within(path)),
    fetch: (path) => snapshot.fetch(within(path)),
  };
}
