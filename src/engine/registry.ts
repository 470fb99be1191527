/** All engines by name, and the settings that choose and open them. To add an engine, add its descriptor here. */

import { between, field, listOf, oneOf, optional, positive, source, text, whole, yesOrNo } from "../settings.js";
import { LORA_TARGETS } from "./checkpoint/lora.js";
import { WEIGHT_TYPES } from "./checkpoint/weight-types.js";
import type { EngineDescriptor } from "./descriptor.js";
import { onnx } from "./onnx/descriptor.js";
import { scripted } from "./scripted/descriptor.js";
import { tinker } from "./tinker/descriptor.js";

export const ENGINES = { onnx, scripted, tinker } as const satisfies Readonly<Record<string, EngineDescriptor>>;

type EngineName = keyof typeof ENGINES;

const names = Object.keys(ENGINES) as [EngineName, ...EngineName[]];

/** What samples and trains where nothing else is asked for. */
export const DEFAULT_ENGINE = "onnx" satisfies EngineName;

/** The engine of that name. */
export function engineNamed(name: EngineName): EngineDescriptor {
  return ENGINES[name];
}

const described = names.map((name) => `${name} (${ENGINES[name].description})`).join(" or ");

/** The settings of a run that concern its model and its engine. */
export const engineFields = {
  model: field(
    optional(source),
    null,
    "Hugging Face checkpoint: a folder, or hub:owner/name[@revision]; for a generated task its bundled starter model when not set",
    { scope: "place", readBy: ["eval", "tasks check"] },
  ),
  engine: field(oneOf(...names), DEFAULT_ENGINE, `What samples and trains: ${described}`, { readBy: ["eval"] }),
  threads: field(optional(whole(1)), null, "Processor threads of the engine; all cores when not set", {
    scope: "means",
    readBy: ["eval"],
  }),
  checkpointDtype: field(
    optional(oneOf(...WEIGHT_TYPES)),
    null,
    "Type of the weights in saved models; the base model's when not set. Training keeps float32 in any case",
    { scope: "means" },
  ),
  loraRank: field(
    optional(whole(1)),
    null,
    "Engine onnx: train a LoRA adapter of this rank beside frozen weights; all weights are trained when not set",
  ),
  loraAlpha: field(
    optional(positive),
    null,
    "LoRA's α: the adapter's output is multiplied by α / rank; twice the rank when not set",
  ),
  loraDropout: field(
    optional(between(0, 1, "below-high")),
    null,
    "Share of the adapter's inputs that are set to zero in training; 0 when not set",
  ),
  loraTargets: field(
    optional(listOf(...LORA_TARGETS)),
    null,
    "The matrices that get an adapter, in every layer; all of these when not set",
  ),
  url: field(
    optional(text),
    null,
    "Address of the server of engine tinker; its key comes from the environment variable TINKER_API_KEY",
    { scope: "place", readBy: ["eval"] },
  ),
  serverModel: field(optional(text), null, "The model's name on the server; the only one it has when not set", {
    scope: "place",
    readBy: ["eval"],
  }),
  adapterRank: field(whole(1), 32, "Rank of the adapter (LoRA) that the server trains", {
    readBy: ["eval"],
    before: 32,
  }),
  maxInFlight: field(optional(whole(1)), null, "Samples that the server is asked for at once; 64 when not set", {
    scope: "means",
    readBy: ["eval"],
  }),
  allowHttp: field(yesOrNo, false, "Allow a server on another machine without encryption, in a trusted network", {
    scope: "means",
    readBy: ["eval"],
  }),
} as const;
