/**
 * Requests to the Hugging Face hub: a revision's commit, its files, their content. Everything that arrives is checked.
 */

import { messageOf, shown, UserError } from "../errors.js";
import { downloadTo, type HubFile, HubUnreachable } from "./download.js";
import { reportDownload } from "./progress.js";
import type { HubKind } from "./reference.js";
import type { HubSettings } from "./settings.js";

/**
 * What differs between the kinds of repository: how messages call them, where their pages lie, what to do without the
 * hub.
 */
export const HUB_KINDS: Readonly<
  Record<HubKind, { readonly noun: string; readonly pages: string; readonly folder: string }>
> = {
  dataset: { noun: "data set", pages: "datasets/", folder: "the data set's files" },
  model: { noun: "model", pages: "", folder: "the model's files" },
};

/** One repository of the hub. */
export class HubConnection {
  readonly #kind: HubKind;
  readonly #name: string;
  readonly #settings: HubSettings;

  /** @param name `owner/name` */
  constructor(kind: HubKind, name: string, settings: HubSettings) {
    this.#kind = kind;
    this.#name = name;
    this.#settings = settings;
  }

  /**
   * The commit of a branch or tag. Throws HubUnreachable without an answer, UserError when there is no such revision or
   * no access.
   */
  async commitOf(revision: string): Promise<string> {
    return this.#ask(`revision ${revision}`, async (hub, options) => {
      const asked = { name: this.#name, revision, additionalFields: ["sha" as const], ...options };
      const { sha } = await (this.#kind === "model" ? hub.modelInfo(asked) : hub.datasetInfo(asked));
      if (!/^[0-9a-f]{40}$/.test(sha)) throw new UserError(`expected a commit of ${this.#name}, got ${shown(sha)}`);
      return sha;
    });
  }

  /** Every file of a commit. Throws as `commitOf` does. */
  async filesAt(commit: string): Promise<HubFile[]> {
    return this.#ask(`commit ${commit}`, async ({ listFiles }, options) => {
      const files: HubFile[] = [];
      for await (const entry of listFiles({ repo: this.#repo(), revision: commit, recursive: true, ...options })) {
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

  /**
   * Writes the file at `target`, whole and with the digest that the hub states, or not at all; continues what broke off
   * before.
   */
  async download(file: HubFile, commit: string, target: string): Promise<void> {
    const { path, size } = file;
    const connection = this;
    const contentFrom = async function* (offset: number): AsyncGenerator<Uint8Array> {
      const stream = await connection.#content(path, commit, offset);
      try {
        yield* stream;
      } catch (error) {
        throw connection.#unreachable(error);
      }
    };
    await downloadTo(target, file, contentFrom, (received) =>
      reportDownload({ name: this.#name, path, received, size }),
    );
  }

  async #content(path: string, commit: string, offset: number): Promise<AsyncIterable<Uint8Array>> {
    return this.#ask(path, async ({ downloadFile }, options) => {
      const content = await downloadFile({ repo: this.#repo(), path, revision: commit, xet: false, ...options });
      if (content === null) throw new UserError(`expected ${path} in ${this.#name}@${commit}, got none`);
      return (offset === 0 ? content : content.slice(offset)).stream() as AsyncIterable<Uint8Array>;
    });
  }

  #repo(): { readonly type: HubKind; readonly name: string } {
    return { type: this.#kind, name: this.#name };
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
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): HubUnreachable {
    return new HubUnreachable(`${this.#settings.endpoint}: ${causeOf(error)}`);
  }

  #refused(what: string, status: number, message: string): UserError {
    const { endpoint, token } = this.#settings;
    const { noun, pages } = HUB_KINDS[this.#kind];
    const answer = `expected ${what} of the ${noun} ${this.#name} from ${endpoint}, got status ${status} (${message.slice(0, 200)})`;
    const page = `${endpoint}/${pages}${this.#name}`;
    if (status === 401 || status === 403) {
      const access =
        token === undefined ? "set HF_TOKEN to an access token of an account" : "use a token (HF_TOKEN) of an account";
      return new UserError(
        `${answer}. Either the name is wrong, or the ${noun} is private or gated: then accept its terms at ${page} and ${access} that may read it`,
      );
    }
    if (status === 404) return new UserError(`${answer}. Look up name and revision at ${page}`);
    return new UserError(`${answer}. Try again later, or give a local folder`);
  }
}

type Hub = typeof import("@huggingface/hub");
type RequestOptions = { readonly hubUrl: string; readonly fetch: typeof fetch; readonly accessToken?: string };

/** `fetch` that gives up if the answer does not begin within this time; its content may take longer. */
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

/** `fetch` keeps the reason in `cause`; the hub's client throws a plain string when a download breaks off. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : "";
  return `${messageOf(error)}${cause}`;
}
