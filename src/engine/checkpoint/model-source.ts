/**
 * Where a checkpoint is: a folder on this machine, or a model on the hub, whose needed files are downloaded into the
 * cache. What is recognized as something else than a checkpoint of this kind is refused here, before anything is
 * downloaded, with what to do about it.
 */

import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { shown, UserError } from "../../errors.js";
import { isHubReference, parseHubReference, pinnedReference } from "../../hub/reference.js";
import { cachedRepository, HubSnapshot } from "../../hub/snapshot.js";
import { isRecord } from "../files.js";
import { ADAPTER_CONFIG, type AdapterBase, readAdapterConfig } from "./adapter-files.js";
import { INDEX_FILE, SINGLE_FILE, shardsOf } from "./weight-files.js";

/** Files beside the weights, of which a checkpoint has some or all. */
const SMALL_FILES = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
] as const;

export interface ModelSource {
  /** The checkpoint's folder on this machine. */
  readonly folder: string;
  /** What opens the same model again: a folder as it was given, or a hub reference with the commit that was found. */
  readonly pinned: string;
}

/**
 * Finds the model that `reference` names: a folder's path or `hub:owner/name[@revision][/folder]`. Throws UserError
 * when there is none, or what is there is no checkpoint in safetensors.
 *
 * @param weights whether the weights are needed as well; without them only configuration and tokenizer are downloaded
 */
export async function locateModel(reference: string, { weights }: { readonly weights: boolean }): Promise<ModelSource> {
  if (isHubReference(reference)) return hubModel(reference, weights);
  const found = await stat(reference).catch(() => null);
  if (found === null)
    throw new UserError(
      `expected a model's folder, got ${shown(reference)}, which does not exist${hubHint(reference)}`,
    );
  if (!found.isDirectory())
    throw new UserError(`expected a model's folder, got the file ${shown(reference)}${ggufHint(reference)}`);
  if (
    isAdapter(reference) &&
    (await baseOfAdapter(() => readFile(join(reference, ADAPTER_CONFIG), "utf8"))) !== NO_BASE
  ) {
    await baseOf(reference, { weights });
    return { folder: reference, pinned: reference };
  }
  await refuseOtherFormats(await readdir(reference), reference, (name) => readFile(join(reference, name), "utf8"));
  return { folder: reference, pinned: reference };
}

/** Whether a folder has a LoRA adapter instead of a model's weights. */
function isAdapter(folder: string): boolean {
  const has = (name: string) => existsSync(join(folder, name));
  return has(ADAPTER_CONFIG) && !has(SINGLE_FILE) && !has(INDEX_FILE);
}

/** The folder of a model's config, tokenizer and weights: its own, or that of an adapter's base. Throws UserError. */
export async function baseFolderOf(folder: string): Promise<string> {
  return isAdapter(folder) ? baseOf(folder, { weights: true }) : folder;
}

/** The folder of an adapter's base, which may be on the hub. */
async function baseOf(adapter: string, needs: { readonly weights: boolean }): Promise<string> {
  const { base } = await readAdapterConfig(adapter);
  const path = join(adapter, ADAPTER_CONFIG);
  if (base === null) throw new UserError(`expected base_model_name_or_path in ${path} to name a model, got none`);
  const places = [resolve(base.name), resolve(adapter, base.name)];
  const folder = places.find((place) => existsSync(place));
  const reference = folder ?? `hub:${base.name}${base.revision === null ? "" : `@${base.revision}`}`;
  if (folder === undefined && !/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(base.name)) {
    throw new UserError(
      `expected the base model of the adapter ${adapter} at ${base.name}, got nothing there; ` +
        `put the model there, or its present place into base_model_name_or_path of ${path}`,
    );
  }
  const found = await locateModel(reference, needs);
  refuseAdapter(found.folder);
  return found.folder;
}

/** Throws UserError where a whole model is needed and the folder has an adapter. */
export function refuseAdapter(folder: string): void {
  if (!isAdapter(folder)) return;
  throw new UserError(
    `expected a whole model to put an adapter on in ${folder}, got an adapter; merge it into its base first`,
  );
}

/** The model in a folder as Python's libraries open it: its name and commit on the hub, or the folder itself. */
export function pythonNameOf(folder: string): AdapterBase {
  const name = cachedRepository(folder);
  const revision = /[\\/]snapshots[\\/]([0-9a-f]{40})/.exec(folder)?.[1] ?? null;
  return name === null ? { name: resolve(folder), revision: null } : { name, revision };
}

/**
 * What reports call the model in a folder: the folder's name, or the repository's where the folder is in the hub's
 * cache.
 */
export function modelNameOf(folder: string): string {
  return cachedRepository(folder) ?? basename(resolve(folder));
}

async function hubModel(text: string, weights: boolean): Promise<ModelSource> {
  const reference = parseHubReference(text);
  const { name, revision, path } = reference;
  const snapshot = await HubSnapshot.open("model", name, revision);
  const names = snapshot.entries(path)?.files ?? [];
  const within = (file: string) => (path === "" ? file : `${path}/${file}`);
  const fetch = (file: string) => snapshot.fetch(within(file));
  await refuseOtherFormats(names, text, async (file) => readFile(await fetch(file), "utf8"));
  if (!names.includes("config.json")) {
    throw new UserError(
      `expected a model with a config.json in ${text}, got ${names.slice(0, 20).join(", ") || "no files"}; name the folder that has it, as hub:${name}/FOLDER`,
    );
  }
  for (const file of SMALL_FILES) if (names.includes(file)) await fetch(file);
  if (weights) for (const file of await weightFiles(names, fetch)) await fetch(file);
  return { folder: snapshot.pathOf(path), pinned: pinnedReference(reference, snapshot.commit) };
}

/** The one file of weights, or all shards that the index names. */
async function weightFiles(
  names: readonly string[],
  fetch: (file: string) => Promise<string>,
): Promise<readonly string[]> {
  if (names.includes(SINGLE_FILE)) return [SINGLE_FILE];
  if (!names.includes(INDEX_FILE)) return [];
  const path = await fetch(INDEX_FILE);
  return shardsOf(await readFile(path), path);
}

/** Throws UserError where the files' names say that this is no checkpoint in safetensors. */
async function refuseOtherFormats(
  names: readonly string[],
  where: string,
  read: (name: string) => Promise<string>,
): Promise<void> {
  if (names.includes(SINGLE_FILE) || names.includes(INDEX_FILE)) return;
  if (names.includes(ADAPTER_CONFIG)) {
    const base = await baseOfAdapter(() => read(ADAPTER_CONFIG));
    throw new UserError(
      `expected a whole model in ${where}, got a LoRA adapter of ${base}; merge it into that model first, in Python: ` +
        `PeftModel.from_pretrained(base, "${inPython(where)}").merge_and_unload().save_pretrained("merged"), and save the tokenizer beside it`,
    );
  }
  const gguf = names.find((name) => /\.gguf$/i.test(name));
  if (gguf !== undefined) {
    throw new UserError(
      `expected ${SINGLE_FILE} in ${where}, got GGUF files only (${gguf}); give the model that they were made from, which has safetensors`,
    );
  }
  if (names.some((name) => /^pytorch_model.*\.bin(?:\.index\.json)?$/.test(name))) {
    throw new UserError(
      `expected ${SINGLE_FILE} in ${where}, got pytorch_model.bin, which is not read as it may run code; convert it once, in Python: ` +
        `AutoModelForCausalLM.from_pretrained("${inPython(where)}").save_pretrained("converted"), and save the tokenizer beside it`,
    );
  }
}

/** How Python's libraries name the model: a folder as it is, on the hub without what is ours. */
function inPython(where: string): string {
  return isHubReference(where) ? parseHubReference(where).name : where;
}

/** What errors call the base of an adapter that does not say which it is. */
const NO_BASE = "another model";

async function baseOfAdapter(read: () => Promise<string>): Promise<string> {
  try {
    const config: unknown = JSON.parse(await read());
    const base = isRecord(config) ? config["base_model_name_or_path"] : undefined;
    return typeof base === "string" && base !== "" ? shown(base) : NO_BASE;
  } catch (error) {
    if (error instanceof UserError) throw error;
    return NO_BASE;
  }
}

/** `owner/name` looks like a path, and may be meant as a name on the hub. */
function hubHint(path: string): string {
  const name = /(?:^|[\\/])([\w-][\w.-]*)[\\/]([\w-][\w.-]*)$/.exec(path);
  return name === null ? "" : `; a model on the Hugging Face hub is written hub:${name[1]}/${name[2]}`;
}

function ggufHint(path: string): string {
  return /\.gguf$/i.test(path)
    ? "; GGUF files are not read: give the folder of the model that it was made from, which has safetensors"
    : "; give the folder that it is in";
}
