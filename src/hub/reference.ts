/**
 * How data sets and models of the Hugging Face hub are named in settings: `hub:owner/name[@revision][/folder or file]`.
 */

import { shown, UserError } from "../errors.js";

/**
 * The kinds of repository on the hub that are read. Their references look alike; the setting says which kind is meant.
 */
export type HubKind = "dataset" | "model";

interface HubReference {
  /** `owner/name` */
  readonly name: string;
  /** A branch, a tag or a commit; `main` when left out. */
  readonly revision: string;
  /** A folder or file in the repository; empty for all of it. */
  readonly path: string;
}

const PREFIX = "hub:";
const PART = "[A-Za-z0-9](?:[\\w.-]*[\\w-])?";
/** Revisions with slashes are those the hub itself makes; others are written with %2F. */
const FORM = new RegExp(`^hub:(${PART}/${PART})(?:@(refs/convert/[^/@]+|refs/pr/\\d+|[^/@]+))?(?:/(.*))?$`);

export function isHubReference(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Throws UserError when `text` is not a reference. */
export function parseHubReference(text: string): HubReference {
  const [, name, written = "main", path = ""] = FORM.exec(text) ?? [];
  const revision = written.replace(/%2F/gi, "/");
  if (name === undefined || revision.split("/").includes("..")) {
    throw new UserError(
      `expected hub:owner/name, optionally followed by @revision and /folder, such as hub:openai/gsm8k@main/socratic, got ${shown(text)}`,
    );
  }
  return { name, revision, path: path.replace(/\/+$/, "") };
}

/** The reference that reads the same content again, even if the branch moves. */
export function pinnedReference({ name, path }: HubReference, commit: string): string {
  return `${PREFIX}${name}@${commit}${path === "" ? "" : `/${path}`}`;
}
