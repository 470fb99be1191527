/** What is fuzzed: for each kind of file a sound one to begin with, and the program's own reader of it. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseModelConfig } from "../../dist/engine/checkpoint/config-json.js";
import { SafetensorsFile, writeSafetensors } from "../../dist/engine/checkpoint/safetensors.js";
import { CheckpointTokenizer } from "../../dist/engine/checkpoint/tokenizer.js";
import { parseJson } from "../../dist/engine/files.js";
import { openTask } from "../../dist/index.js";
import { formatConfig, parseConfig, resolveConfig } from "../../dist/run/config/config.js";
import { mutateBytes, mutateJson } from "./mutate.mjs";

/** @typedef {import("./mutate.mjs").Pick} Pick */
/**
 * @typedef {object} Target
 * @property {(pick: Pick) => Buffer} input
 * @property {(input: Buffer) => Promise<void>} read throws UserError for what it refuses
 */

/** @param {string} path */
const fixture = (path) => readFileSync(fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url)));

/** @param {Buffer} bytes @param {Pick} pick */
function mutated(bytes, pick) {
  let input = bytes;
  for (let n = 1 + pick(3); n > 0; n--) input = mutateBytes(input, pick);
  return input;
}

/** JSON changed as a value, as text, or both. @param {Buffer} bytes @param {Pick} pick */
function mutatedJson(bytes, pick) {
  let value = JSON.parse(bytes.toString());
  const kind = pick(3);
  if (kind > 0) for (let n = 1 + pick(3); n > 0; n--) value = mutateJson(value, pick);
  const text = Buffer.from(JSON.stringify(value));
  return kind === 1 ? text : mutated(text, pick);
}

/** @param {string} scratch an empty folder @returns {Promise<Record<string, Target>>} */
export async function makeTargets(scratch) {
  const weights = join(scratch, "model.safetensors");
  await writeSafetensors(
    weights,
    ["a.weight", "b.weight", "c"].map((name, i) => ({ name, shape: [2, i + 1], values: new Float32Array(2 * i + 2) })),
    { metadata: { format: "pt" } },
  );
  const soundWeights = readFileSync(weights);
  const headerEnd = 8 + Number(soundWeights.readBigUInt64LE(0));
  const behaviours = Object.values(JSON.parse(fixture("tokenizer-behaviour.expected.json").toString()));
  const tokenizers = [
    ...["tiny-llama", "tiny-qwen2"].map((model) => fixture(`${model}/tokenizer.json`)),
    ...behaviours.map(({ tokenizer }) => Buffer.from(JSON.stringify(tokenizer))),
  ];
  const configs = [
    ...["tiny-llama", "tiny-qwen2", "tiny-tied"],
    ...["qwen3", "gemma2", "gemma3", "phi3", "smollm3", "granite", "ministral3"].map((name) => `families/${name}`),
  ].map((model) => fixture(`${model}/config.json`));
  const generation = JSON.parse(fixture("tiny-llama/generation_config.json").toString());
  const { config } = resolveConfig([]);
  const some = Object.entries(config).filter((_, i) => i % 3 === 0);
  const yaml = Buffer.from(
    `# settings\nqueueKey:\n  - lastSampled\n  - winRate\n${formatConfig(Object.fromEntries(some))}`,
  );
  const rows = join(scratch, "train.jsonl");
  const row = (/** @type {number} */ i) =>
    JSON.stringify({ id: `q${i}`, question: `What is ${i} + 1?`, answer: `${i + 1}` });
  const soundRows = Buffer.from(Array.from({ length: 3 }, (_, i) => `${row(i)}\n`).join(""));
  return {
    safetensors: {
      input(pick) {
        if (pick(2) === 0) return mutated(soundWeights, pick);
        const header = mutatedJson(soundWeights.subarray(8, headerEnd), pick);
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(header.length));
        return Buffer.concat([length, header, soundWeights.subarray(headerEnd)]);
      },
      async read(input) {
        writeFileSync(weights, input);
        const file = await SafetensorsFile.open(weights);
        try {
          for (const name of file.tensors.keys()) await file.read(name);
        } finally {
          await file.close();
        }
      },
    },
    tokenizer: {
      input: (pick) => mutatedJson(tokenizers[pick(tokenizers.length)] ?? Buffer.alloc(0), pick),
      async read(input) {
        const parsed = parseJson(input, "tokenizer.json");
        const tokenizer = new CheckpointTokenizer(
          parsed,
          { eos_token: "</s>" },
          { vocabularySize: 300, endTokens: [1] },
          "/m",
        );
        tokenizer.decode(tokenizer.encode("Balance 30. Mon +1, 2"));
        const stream = tokenizer.stream();
        for (const token of [0, 5, 40, 299]) stream.push(token);
        stream.end();
      },
    },
    jsonl: {
      input: (pick) => mutated(soundRows, pick),
      async read(input) {
        writeFileSync(rows, input);
        await openTask({ task: null, data: rows, eval: rows, verifier: "number" });
      },
    },
    yaml: {
      input: (pick) => mutated(yaml, pick),
      async read(input) {
        resolveConfig([parseConfig(input.toString("utf8"), join(scratch, "run.yaml"))]);
      },
    },
    config: {
      input: (pick) => mutatedJson(configs[pick(configs.length)] ?? Buffer.alloc(0), pick),
      async read(input) {
        const parsed = parseJson(input, "config.json");
        if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return;
        parseModelConfig(/** @type {Record<string, unknown>} */ (parsed), generation, "/m");
      },
    },
  };
}
