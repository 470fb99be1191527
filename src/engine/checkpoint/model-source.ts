/**
 * Where a checkpoint is: a folder on this machine, or a model on the hub, whose needed files are downloaded into the
 * cache. What is recognized as something else than a checkpoint of this kind is refused here, before anything is
 * downloaded, with what to do about it.
 */

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { shown, UserError } from "../../errors.js";
import { isHubReference, parseHubReference, pinnedReference } from "../../hub/reference.js";
import { cachedRepository, HubSnapshot } from "../../hub/snapshot.js";
import { isRecord } from "../files.js";
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

const ADAPTER_FILE = "adapter_config.json";

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
  await refuseOtherFormats(await readdir(reference), reference, (name) => readFile(join(reference, name), "utf8"));
  return { folder: reference, pinned: reference };
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
  if (names.includes(ADAPTER_FILE)) {
    const base = await baseOfAdapter(() => read(ADAPTER_FILE));
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

async function baseOfAdapter(read: () => Promise<string>): Promise<string> {
  try {
    const config: unknown = JSON.parse(await read());
    const base = isRecord(config) ? config["base_model_name_or_path"] : undefined;
    return typeof base === "string" && base !== "" ? shown(base) : "another model";
  } catch (error) {
    if (error instanceof UserError) throw error;
    return "another model";
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
