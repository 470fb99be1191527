import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { locateModel, modelNameOf } from "../../src/engine/checkpoint/model-source.js";
import { UserError } from "../../src/errors.js";
import { openCheckpoint } from "../../src/run/open-engine.js";
import { filesBelow, type HubServer, refuse, startHub } from "./hub-server.js";

const TINY = fileURLToPath(new URL("../fixtures/tiny-llama/", import.meta.url));
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OLDER = "fedcba9876543210fedcba9876543210fedcba98";
const NEEDED = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];

let hub: HubServer;
let home: string;
beforeEach(async () => {
  const tiny = filesBelow(TINY);
  const other = {
    "README.md": Buffer.from("a model"),
    "pytorch_model.bin": Buffer.from("pickled"),
    "onnx/model.onnx": Buffer.from("onnx"),
    "consolidated.safetensors": Buffer.from("the same again"),
  };
  const revisions = { main: COMMIT, v1: OLDER };
  hub = await startHub(
    {},
    {
      "tiny/llama": { revisions, files: { ...tiny, ...other } },
      "tiny/nested": {
        revisions,
        files: Object.fromEntries(Object.entries(tiny).map(([name, bytes]) => [`base/${name}`, bytes])),
      },
      "tiny/adapter": {
        revisions,
        files: {
          "adapter_config.json": Buffer.from('{"base_model_name_or_path": "tiny/llama"}'),
          "adapter_model.safetensors": Buffer.from(""),
        },
      },
      "tiny/gguf": { revisions, files: { "tiny-Q4_K_M.gguf": Buffer.from("GGUF"), "README.md": Buffer.from("") } },
      "tiny/pickled": {
        revisions,
        files: { "config.json": Buffer.from("{}"), "pytorch_model.bin": Buffer.from("pickled") },
      },
    },
  );
  home = mkdtempSync(join(tmpdir(), "adastar-hub-models-"));
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", home);
  for (const name of ["HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"]) vi.stubEnv(name, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  rmSync(home, { recursive: true });
});

const all = { weights: true };

async function refusal(located: Promise<unknown>): Promise<string> {
  const error: unknown = await located.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

const downloaded = () =>
  [...new Set(hub.requests.flatMap((one) => one.split("/resolve/")[1]?.split("/").slice(1).join("/") ?? []))].sort();

describe("a model on the hub", () => {
  it("is pinned, downloaded as far as it is needed, once, and opens", async () => {
    const first = await locateModel("hub:tiny/llama", all);
    expect(first.pinned).toBe(`hub:tiny/llama@${COMMIT}`);
    expect(downloaded()).toEqual(NEEDED);
    expect(readdirSync(first.folder).sort()).toEqual(NEEDED);
    expect(modelNameOf(first.folder)).toBe("tiny/llama");
    await hub.close();
    expect(await locateModel(first.pinned, all)).toEqual(first);
    // A branch is what it was the last time.
    expect(await locateModel("hub:tiny/llama", all)).toEqual(first);
    const engine = await openCheckpoint({ model: "hub:tiny/llama", threads: 1 });
    expect(engine.model.name).toBe("tiny/llama");
    await engine.close();
  });

  it("goes by revision and by folder", async () => {
    expect((await locateModel("hub:tiny/llama@v1", all)).pinned).toBe(`hub:tiny/llama@${OLDER}`);
    const nested = await locateModel("hub:tiny/nested/base", all);
    expect(nested.pinned).toBe(`hub:tiny/nested@${COMMIT}/base`);
    expect(readdirSync(nested.folder).sort()).toEqual(NEEDED);
    expect(await refusal(locateModel("hub:tiny/nested", all))).toMatch(
      /expected a model with a config\.json in hub:tiny\/nested, got no files; name the folder that has it/,
    );
  });

  it("without its weights is its configuration and tokenizer", async () => {
    await locateModel("hub:tiny/llama", { weights: false });
    expect(downloaded()).toEqual(NEEDED.filter((name) => name !== "model.safetensors"));
  });

  it("in shards: those that the index names", async () => {
    const { files } = hub.models["tiny/llama"] ?? { files: {} };
    const { "model.safetensors": whole, ...small } = files;
    const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    const weight_map = { a: shards[0], b: shards[1], c: shards[0] };
    hub.models["tiny/llama"] = {
      revisions: { main: COMMIT },
      files: {
        ...small,
        "model.safetensors.index.json": Buffer.from(JSON.stringify({ weight_map })),
        ...Object.fromEntries(
          [...shards, "model-00001-of-00009.safetensors"].map((name) => [name, whole ?? Buffer.alloc(0)]),
        ),
      },
    };
    await locateModel("hub:tiny/llama", all);
    expect(downloaded().filter((name) => name.endsWith(".safetensors"))).toEqual(shards);
  });

  it("that is gated says what to do, and no message has the token", async () => {
    vi.stubEnv("HF_TOKEN", "hf_secret");
    const seen = new Set<string | undefined>();
    hub.fault = (request, response) => {
      seen.add(request.headers.authorization);
      refuse(response, 403, "Access to model tiny/llama is restricted");
      return true;
    };
    const message = await refusal(locateModel("hub:tiny/llama", all));
    expect(message).toMatch(/of the model tiny\/llama .*status 403/);
    expect(message).toMatch(/accept its terms at http:\S+\/tiny\/llama and use a token \(HF_TOKEN\) of an account/);
    expect([...seen]).toEqual(["Bearer hf_secret"]);
    expect(message).not.toContain("hf_secret");
    vi.stubEnv("HF_TOKEN", undefined);
    expect(await refusal(locateModel("hub:tiny/llama", all))).toMatch(/set HF_TOKEN to an access token/);
  });

  it("offline, without a copy, says so", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await refusal(locateModel("hub:tiny/llama", all))).toMatch(
      /expected the model tiny\/llama at main in the cache .*download the model's files elsewhere and give their folder/,
    );
    expect(hub.requests).toEqual([]);
  });

  it("damaged on the way is refused, and fetched again", async () => {
    hub.fault = (request, response) => {
      if (!request.url?.includes("model.safetensors") || request.headers.range === "bytes=0-0") return false;
      response.end("damaged");
      return true;
    };
    expect(await refusal(locateModel("hub:tiny/llama", all))).toMatch(/model\.safetensors .*it was damaged on the way/);
    hub.fault = null;
    expect(readdirSync((await locateModel("hub:tiny/llama", all)).folder).sort()).toEqual(NEEDED);
  });
});

describe("what is no checkpoint", () => {
  const folder = (files: Readonly<Record<string, string>>) => {
    const path = join(home, "local");
    mkdirSync(path);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
    return path;
  };

  it.each([
    [
      "adapter",
      /got a LoRA adapter of "tiny\/llama"; merge it into that model first.*from_pretrained\(base, "tiny\/adapter"\)/,
    ],
    ["gguf", /got GGUF files only \(tiny-Q4_K_M\.gguf\); give the model that they were made from/],
    ["pickled", /got pytorch_model\.bin, which is not read as it may run code; convert it once/],
  ])("on the hub: %s, before weights are downloaded", async (name, message) => {
    expect(await refusal(locateModel(`hub:tiny/${name}`, all))).toMatch(message);
    expect(downloaded().filter((path) => path !== "adapter_config.json")).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      "a LoRA folder",
      { "adapter_config.json": "{}", "adapter_model.safetensors": "" },
      /got a LoRA adapter of another model/,
    ],
    ["a damaged LoRA folder", { "adapter_config.json": "{" }, /got a LoRA adapter of another model/],
    ["a GGUF folder", { "model.gguf": "" }, /got GGUF files only \(model\.gguf\)/],
    ["a pickled one", { "config.json": "{}", "pytorch_model.bin": "" }, /got pytorch_model\.bin/],
    ["pickled shards", { "pytorch_model.bin.index.json": "{}" }, /got pytorch_model\.bin/],
  ])("%s", async (_, files, message) => {
    expect(await refusal(locateModel(folder(files), all))).toMatch(message);
  });

  it("a name on the hub without hub:, a file, nothing", async () => {
    expect(await refusal(locateModel("HuggingFaceTB/SmolLM2-135M", all))).toMatch(
      /which does not exist; a model on the Hugging Face hub is written hub:HuggingFaceTB\/SmolLM2-135M$/,
    );
    const path = folder({ "model.gguf": "", "model.safetensors": "" });
    expect(await refusal(locateModel(join(path, "model.gguf"), all))).toMatch(/GGUF files are not read/);
    expect(await refusal(locateModel(join(path, "model.safetensors"), all))).toMatch(/give the folder that it is in/);
    expect(await refusal(locateModel("nowhere", all))).toMatch(/got "nowhere", which does not exist$/);
    expect(await locateModel(path, all)).toEqual({ folder: path, pinned: path });
  });
});
