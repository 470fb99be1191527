/** The model families that this engine computes. To add one: a file like its neighbours, and a line here. */

import { shown, UserError } from "../../../errors.js";
import type { Family } from "./family.js";
import { gemma, gemma2, gemma3 } from "./gemma.js";
import { granite } from "./granite.js";
import { llama } from "./llama.js";
import { ministral, ministral3, mistral } from "./mistral.js";
import { olmo2 } from "./olmo2.js";
import { phi3 } from "./phi3.js";
import { qwen2, qwen3 } from "./qwen.js";
import { smollm3 } from "./smollm3.js";

export const FAMILIES: readonly Family[] = [
  llama,
  qwen2,
  qwen3,
  mistral,
  ministral,
  ministral3,
  gemma,
  gemma2,
  gemma3,
  phi3,
  smollm3,
  olmo2,
  granite,
];

/** What other types are, where more can be said than that they are not known. */
const OTHERS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/moe|mixtral|gpt_oss|deepseek|dbrx|granitemoe|jamba|^glm4_moe/, "a mixture of experts"],
  [/mamba|rwkv|lfm|qwen3_next|qwen3_5|bamba|zamba|falcon_h1|recurrent|nemotron_h/, "a hybrid or recurrent model"],
  [
    /^(gemma3|gemma3n|gemma4|mistral3|llava.*|qwen\d?_?\d?_vl|idefics.*|smolvlm|paligemma|mllama|phi4_multimodal)$/,
    "a model of text and images",
  ],
  [/^(bert|roberta|t5|bart|electra|deberta.*|whisper)$/, "not a decoder of text"],
];

/** The family that `model_type` names. Throws UserError with the known ones for any other. */
export function familyOf(modelType: unknown, path: string): Family {
  const family = FAMILIES.find(({ type }) => type === modelType);
  if (family !== undefined) return family;
  const what = typeof modelType === "string" ? OTHERS.find(([pattern]) => pattern.test(modelType))?.[1] : undefined;
  const known = FAMILIES.map(({ type, models }) => `${type} (${models})`).join("; ");
  throw new UserError(
    `expected model_type of ${path} to name a family that this engine computes, got ${
      modelType === undefined ? "nothing" : shown(modelType)
    }${what === undefined ? "" : `, ${what}`}. Use a checkpoint of one of these: ${known}`,
  );
}
