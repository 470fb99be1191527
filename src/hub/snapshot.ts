/**
 * The content of a hub repository at one commit, through a cache. Files are downloaded once into the cache that
 * Python's client uses as well, with the listing of the commit beside them, so that what is pinned to a commit needs no
 * connection again.
 */

import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../errors.js";
import { HUB_KINDS, HubConnection } from "./connection.js";
import { type HubFile, HubUnreachable } from "./download.js";
import type { HubKind } from "./reference.js";
import { type HubSettings, hubSettings } from "./settings.js";

const COMMIT = /^[0-9a-f]{40}$/;

/** Names in one folder of a repository. */
interface HubEntries {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** A repository at one commit: its listing, and as many of its files as were asked for. */
export class HubSnapshot {
  readonly commit: string;
  readonly #kind: HubKind;
  readonly #connection: HubConnection;
  readonly #settings: HubSettings;
  /**
   * Folder of the cached repository: `refs/`, `snapshots/<commit>/` as Python's client has them, and
   * `adastar/<commit>.json`.
   */
  readonly #home: string;
  readonly #files: ReadonlyMap<string, HubFile>;

  private constructor(
    kind: HubKind,
    commit: string,
    connection: HubConnection,
    settings: HubSettings,
    home: string,
    files: readonly HubFile[],
  ) {
    this.#kind = kind;
    this.commit = commit;
    this.#connection = connection;
    this.#settings = settings;
    this.#home = home;
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  /**
   * Opens a repository at a branch, tag or commit. Throws UserError when it does not exist, may not be read, or is
   * neither in the cache nor in reach.
   */
  static async open(kind: HubKind, name: string, revision: string): Promise<HubSnapshot> {
    const settings = hubSettings(process.env);
    const home = join(settings.cache, `${kind}s--${name.replace("/", "--")}`);
    const connection = new HubConnection(kind, name, settings);
    try {
      const commit = COMMIT.test(revision) ? revision : await resolvedCommit(connection, revision, home, settings);
      const files = await listing(connection, commit, home, settings);
      return new HubSnapshot(kind, commit, connection, settings, home, files);
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      throw new UserError(
        `expected the ${HUB_KINDS[kind].noun} ${name} at ${revision} in the cache (${settings.cache}) or on the hub, got neither: ${error.message}. ${localRemedy(kind)}`,
      );
    }
  }

  /** Whether there is such a file. */
  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** What the folder `path` holds (`""` is the whole repository); null when there is none. */
  entries(path: string): HubEntries | null {
    const start = path === "" ? "" : `${path}/`;
    const inside = [...this.#files.keys()]
      .filter((file) => file.startsWith(start))
      .map((file) => file.slice(start.length).split("/"));
    if (inside.length === 0) return null;
    const names = (folders: boolean) =>
      [...new Set(inside.filter((parts) => parts.length > 1 === folders).map(([first = ""]) => first))].sort();
    return { files: names(false), folders: names(true) };
  }

  /** Where the files of a folder lie once they are fetched. */
  pathOf(folder: string): string {
    return join(this.#home, "snapshots", this.commit, ...folder.split("/"));
  }

  /** The file on this machine; downloads it unless it is in the cache. Throws UserError as `open` does. */
  async fetch(path: string): Promise<string> {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`no ${path} in the listing`);
    const target = this.pathOf(path);
    // A file gets this name only when it is whole, so another size means that something else has damaged it.
    const present = await stat(target).catch(() => null);
    if (present?.size === file.size) return target;
    try {
      if (this.#settings.offline) throw new HubUnreachable("HF_HUB_OFFLINE is set");
      await this.#connection.download(file, this.commit, target);
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      throw new UserError(
        `expected ${path} in the cache (${target}) or from the hub, got neither: ${error.message}. ${localRemedy(this.#kind)}`,
      );
    }
    return target;
  }
}

/** `owner/name` of the repository in whose cached snapshot a folder lies; null for any other folder. */
export function cachedRepository(folder: string): string | null {
  const match = /(?:^|[\\/])(?:models|datasets)--([^\\/]+?)--([^\\/]+)[\\/]snapshots[\\/][0-9a-f]{40}(?:[\\/]|$)/.exec(
    folder,
  );
  return match === null ? null : `${match[1]}/${match[2]}`;
}

function localRemedy(kind: HubKind): string {
  return `Try again with a connection, or download ${HUB_KINDS[kind].folder} elsewhere and give their folder instead of hub:…`;
}

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
