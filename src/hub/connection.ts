/** What is asked of the Hugging Face hub: a revision's commit, its files, their content. Nothing that arrives is trusted unchecked. */

import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { messageOf, shown, UserError } from "../errors.js";

/** From the environment variables that every client of the hub reads. */
export interface HubSettings {
  /** HF_ENDPOINT, without a slash at its end. */
  readonly endpoint: string;
  /** HF_TOKEN. */
  readonly token: string | undefined;
  /** HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. */
  readonly cache: string;
  /** HF_HUB_OFFLINE: only the cache is read. */
  readonly offline: boolean;
  /** HF_HUB_ETAG_TIMEOUT: seconds that the hub may take to begin an answer; 10 when not set. */
  readonly patience: number;
}

const USUAL_PATIENCE = 10;

export function hubSettings(env: NodeJS.ProcessEnv): HubSettings {
  const set = (name: string) => (env[name] === undefined || env[name] === "" ? undefined : env[name]);
  const home = set("HF_HOME") ?? join(set("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
  const token = set("HF_TOKEN")?.trim();
  if (token !== undefined && !token.startsWith("hf_")) {
    throw new UserError("HF_TOKEN: expected an access token, which begins with hf_, got something else");
  }
  return {
    endpoint: (set("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, ""),
    token,
    cache: set("HF_HUB_CACHE") ?? join(home, "hub"),
    offline: /^(?:1|true|yes|on)$/i.test(set("HF_HUB_OFFLINE") ?? ""),
    patience: Number(set("HF_HUB_ETAG_TIMEOUT")) || USUAL_PATIENCE,
  };
}

/** A file of a data set at one commit. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of large files, else git's own digest of them. */
  readonly digest: { readonly kind: "sha256" | "git"; readonly value: string };
}

/** The hub did not answer. Whoever has a copy may go on with that. */
export class HubUnreachable extends Error {
  override readonly name = "HubUnreachable";
}

export class HubConnection {
  readonly #name: string;
  readonly #settings: HubSettings;

  /** @param name the data set's, `owner/name` */
  constructor(name: string, settings: HubSettings) {
    this.#name = name;
    this.#settings = settings;
  }

  /** The commit of a branch or tag. Throws HubUnreachable without an answer, UserError when there is no such revision or no access. */
  async commitOf(revision: string): Promise<string> {
    return this.#ask(`revision ${revision}`, async ({ datasetInfo }, options) => {
      const { sha } = await datasetInfo({ name: this.#name, revision, additionalFields: ["sha"], ...options });
      if (!/^[0-9a-f]{40}$/.test(sha)) throw new UserError(`expected a commit of ${this.#name}, got ${shown(sha)}`);
      return sha;
    });
  }

  /** Every file of a commit. */
  async filesAt(commit: string): Promise<HubFile[]> {
    return this.#ask(`commit ${commit}`, async ({ listFiles }, options) => {
      const files: HubFile[] = [];
      const repo = { type: "dataset", name: this.#name } as const;
      for await (const entry of listFiles({ repo, revision: commit, recursive: true, ...options })) {
        if (entry.type !== "file" || entry.oid === undefined || !staysWithin(entry.path)) continue;
        files.push({
          path: entry.path,
          size: entry.size,
          digest:
            entry.lfs === undefined ? { kind: "git", value: entry.oid } : { kind: "sha256", value: entry.lfs.oid },
        });
      }
      return files;
    });
  }

  /** Writes the file at `target`, whole and with the digest that the hub states, or not at all. */
  async download(file: HubFile, commit: string, target: string): Promise<void> {
    const partial = `${target}.${randomBytes(6).toString("hex")}.incomplete`;
    try {
      await this.#ask(file.path, async ({ downloadFile }, options) => {
        const repo = { type: "dataset", name: this.#name } as const;
        const content = await downloadFile({ repo, path: file.path, revision: commit, xet: false, ...options });
        if (content === null) throw new UserError(`expected ${file.path} in ${this.#name}@${commit}, got none`);
        await writeChecked(content, file, partial);
      });
      await rename(partial, target);
    } finally {
      await rm(partial, { force: true });
    }
  }

  async #ask<T>(what: string, request: (hub: Hub, options: RequestOptions) => Promise<T>): Promise<T> {
    const { endpoint, token, patience } = this.#settings;
    // The client is loaded when it is needed, as most runs read local files.
    const hub = await import("@huggingface/hub");
    const options = { hubUrl: endpoint, fetch: patientFetch(patience) };
    try {
      return await request(hub, token === undefined ? options : { ...options, accessToken: token });
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (error instanceof hub.HubApiError) throw this.#refused(what, error.statusCode, error.message);
      throw new HubUnreachable(`${endpoint}: ${causeOf(error)}`);
    }
  }

  #refused(what: string, status: number, message: string): UserError {
    const { endpoint, token } = this.#settings;
    const answer = `expected ${what} of the data set ${this.#name} from ${endpoint}, got status ${status} (${message.slice(0, 200)})`;
    const page = `${endpoint}/datasets/${this.#name}`;
    if (status === 401 || status === 403) {
      const access =
        token === undefined ? "set HF_TOKEN to an access token of an account" : "use a token (HF_TOKEN) of an account";
      return new UserError(
        `${answer}. Either the name is wrong, or the data set is private or gated: then accept its terms at ${page} and ${access} that may read it`,
      );
    }
    if (status === 404) return new UserError(`${answer}. Look up name and revision at ${page}`);
    return new UserError(`${answer}. Try again later, or give a local folder`);
  }
}

type Hub = typeof import("@huggingface/hub");
type RequestOptions = { readonly hubUrl: string; readonly fetch: typeof fetch; readonly accessToken?: string };

/** `fetch` that gives up when an answer does not begin within so many seconds; its content may take longer. */
function patientFetch(seconds: number): typeof fetch {
  return async (input, init) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error(`no answer within ${seconds} s`)), seconds * 1000);
    try {
      return await fetch(input, { ...init, signal: controller.signal });
    } finally {
      clearTimeout(timer);
    }
  };
}

/** A path that leads nowhere outside of the folder it is joined to. */
function staysWithin(path: string): boolean {
  return !/^[\\/]|^[a-z]:|\\|\0/i.test(path) && !path.split("/").includes("..");
}

async function writeChecked(content: Blob, { path, size, digest }: HubFile, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true }).catch((error: unknown) => {
    throw new UserError(`expected a cache folder that can be written (HF_HOME), got: ${messageOf(error)}`);
  });
  // git's digest is of a header and the content.
  const hash = createHash(digest.kind === "git" ? "sha1" : "sha256").update(
    digest.kind === "git" ? `blob ${size}\0` : "",
  );
  let received = 0;
  const file = await open(target, "wx");
  try {
    for await (const chunk of content.stream()) {
      received += chunk.length;
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const found = hash.digest("hex");
  if (received === size && found === digest.value) return;
  throw new UserError(
    `expected ${path} with ${size} bytes and ${digest.kind} digest ${digest.value} from the hub, got ${received} bytes with ${found}: it was damaged on the way; try again`,
  );
}

/** fetch says little itself and keeps the reason in `cause`; the hub's client throws a plain text when a download breaks off. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : "";
  return `${messageOf(error)}${cause}`;
}
