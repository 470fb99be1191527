/**
 * Data sets on the Hugging Face hub, by name: `hub:owner/name[@revision][/folder or file]`. The revision (a branch, a tag or a commit;
 * `main` when left out) is resolved to its commit, and all that is read is of that commit. Files are downloaded once into the cache that
 * Python's client uses as well, with the listing of the commit beside them, so that a pinned data set needs no connection again.
 */

import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { messageOf, shown, UserError } from "../../errors.js";
import { HubConnection, type HubFile, type HubSettings, HubUnreachable, hubSettings } from "../../hub/connection.js";
import type { Entries, Source, SourceFolder } from "./source.js";

export interface HubReference {
  /** `owner/name` */
  readonly name: string;
  readonly revision: string;
  /** Of a folder or a file in the data set; empty for all of it. */
  readonly path: string;
}

const PREFIX = "hub:";
const PART = "[A-Za-z0-9](?:[\\w.-]*[\\w-])?";
/** Revisions with slashes are those the hub itself makes; others are written with %2F. */
const FORM = new RegExp(`^hub:(${PART}/${PART})(?:@(refs/convert/[^/@]+|refs/pr/\\d+|[^/@]+))?(?:/(.*))?$`);
const COMMIT = /^[0-9a-f]{40}$/;

export function isHubReference(text: string): boolean {
  return text.startsWith(PREFIX);
}

export function parseHubReference(text: string): HubReference {
  const [, name, written = "main", path = ""] = FORM.exec(text) ?? [];
  const revision = written.replace(/%2F/gi, "/");
  if (name === undefined || revision.split("/").includes("..")) {
    throw new UserError(
      `expected hub:owner/name, perhaps with @revision and /folder behind, such as hub:openai/gsm8k@main/socratic, got ${shown(text)}`,
    );
  }
  return { name, revision, path: path.replace(/\/+$/, "") };
}

/** Opens what `text` names. Throws UserError when it does not exist, may not be read, or is neither in the cache nor in reach. */
export async function openHub(text: string): Promise<Source> {
  const { name, revision, path } = parseHubReference(text);
  const snapshot = await Snapshot.open(name, revision, hubSettings(process.env));
  const pinned = `hub:${name}@${snapshot.commit}${path === "" ? "" : `/${path}`}`;
  if (snapshot.has(path)) return { kind: "file", pinned, path: await snapshot.fetch(path) };
  const folder = snapshot.folder(path, pinned);
  if ((await folder.entries("")) === null) {
    const { folders } = snapshot.entries("") ?? { folders: [] };
    throw new UserError(
      `expected a folder or file of hub:${name}, got ${shown(path)}; it has the folders ${folders.join(", ") || "(none)"}`,
    );
  }
  return { kind: "folder", pinned, folder };
}

/** A data set at one commit: its listing, and as many of its files as were asked for. */
class Snapshot {
  readonly commit: string;
  readonly #connection: HubConnection;
  readonly #settings: HubSettings;
  /** Of the cached data set: `refs/`, `snapshots/<commit>/` as Python's client has them, and `adastar/<commit>.json`. */
  readonly #home: string;
  readonly #files: ReadonlyMap<string, HubFile>;

  private constructor(
    commit: string,
    connection: HubConnection,
    settings: HubSettings,
    home: string,
    files: readonly HubFile[],
  ) {
    this.commit = commit;
    this.#connection = connection;
    this.#settings = settings;
    this.#home = home;
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  static async open(name: string, revision: string, settings: HubSettings): Promise<Snapshot> {
    const home = join(settings.cache, `datasets--${name.replace("/", "--")}`);
    const connection = new HubConnection(name, settings);
    try {
      const commit = COMMIT.test(revision) ? revision : await resolvedCommit(connection, revision, home, settings);
      const files = await listing(connection, commit, home, settings);
      return new Snapshot(commit, connection, settings, home, files);
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      throw new UserError(
        `expected the data set ${name} at ${revision} in the cache (${settings.cache}) or on the hub, got neither: ${error.message}. ${LOCAL}`,
      );
    }
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  entries(path: string): Entries | null {
    const start = path === "" ? "" : `${path}/`;
    const inside = [...this.#files.keys()]
      .filter((file) => file.startsWith(start))
      .map((file) => file.slice(start.length).split("/"));
    if (inside.length === 0) return null;
    const names = (folders: boolean) =>
      [...new Set(inside.filter((parts) => parts.length > 1 === folders).map(([first = ""]) => first))].sort();
    return { files: names(false), folders: names(true) };
  }

  folder(root: string, name: string): SourceFolder {
    const within = (path: string) => [root, path].filter((part) => part !== "").join("/");
    return {
      name,
      entries: async (path) => this.entries(within(path)),
      fetch: (path) => this.fetch(within(path)),
    };
  }

  async fetch(path: string): Promise<string> {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`no ${path} in the listing`);
    const target = join(this.#home, "snapshots", this.commit, ...path.split("/"));
    // Files get this name only when they are whole, so size tells those that something else has damaged.
    const present = await stat(target).catch(() => null);
    if (present?.size === file.size) return target;
    try {
      if (this.#settings.offline) throw new HubUnreachable("HF_HUB_OFFLINE is set");
      await this.#connection.download(file, this.commit, target);
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      throw new UserError(
        `expected ${path} in the cache (${target}) or from the hub, got neither: ${error.message}. ${LOCAL}`,
      );
    }
    return target;
  }
}

const LOCAL =
  "Try again with a connection, or download the data set's files elsewhere and give their folder instead of hub:…";

/** Asks the hub; where it does not answer, the commit it named last time. */
async function resolvedCommit(
  connection: HubConnection,
  revision: string,
  home: string,
  { offline }: HubSettings,
): Promise<string> {
  const remembered = join(home, "refs", ...revision.split("/"));
  try {
    if (offline) throw new HubUnreachable("HF_HUB_OFFLINE is set");
    const commit = await connection.commitOf(revision);
    await replaceFile(remembered, commit);
    return commit;
  } catch (error) {
    if (!(error instanceof HubUnreachable)) throw error;
    const commit = (await readFile(remembered, "utf8").catch(() => "")).trim();
    if (COMMIT.test(commit)) return commit;
    throw error;
  }
}

const listingSchema = z.array(
  z.object({
    path: z.string().min(1),
    size: z.int().min(0),
    digest: z.object({ kind: z.enum(["sha256", "git"]), value: z.string() }),
  }),
);

/** A commit's files never change, so the hub is asked once. */
async function listing(
  connection: HubConnection,
  commit: string,
  home: string,
  { offline }: HubSettings,
): Promise<readonly HubFile[]> {
  const remembered = join(home, "adastar", `${commit}.json`);
  const known = listingSchema.safeParse(
    await readFile(remembered, "utf8")
      .then(JSON.parse)
      .catch(() => null),
  );
  if (known.success) return known.data;
  if (offline) throw new HubUnreachable("HF_HUB_OFFLINE is set");
  const files = await connection.filesAt(commit);
  await replaceFile(remembered, JSON.stringify(files));
  return files;
}

/** Two processes may write the same file at once; each puts a whole one there. */
async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    throw new UserError(`expected a cache folder that can be written (HF_HOME), got: ${messageOf(error)}`);
  }
}
