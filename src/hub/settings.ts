/** What the environment says about the hub. */

import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.js";

/** From the environment variables that every client of the hub reads. */
export interface HubSettings {
  /** HF_ENDPOINT, without a slash at its end. */
  readonly endpoint: string;
  /** HF_TOKEN. It is sent to the hub and never written or shown. */
  readonly token: string | undefined;
  /** HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. */
  readonly cache: string;
  /** HF_HUB_OFFLINE: only the cache is read. */
  readonly offline: boolean;
  /** HF_HUB_ETAG_TIMEOUT: seconds that the hub may take to begin an answer. */
  readonly patience: number;
}

const DEFAULT_PATIENCE = 10;

/** Throws UserError when HF_TOKEN does not look like a token; the message does not show it. */
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
    patience: Number(set("HF_HUB_ETAG_TIMEOUT")) || DEFAULT_PATIENCE,
  };
}
