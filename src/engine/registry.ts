/** All engines by name, and the settings that choose and open them. To add an engine, add its descriptor here. */

import { field, oneOf, optional, source, whole } from "../settings.js";
import { WEIGHT_TYPES } from "./checkpoint/weight-types.js";
import type { EngineDescriptor } from "./descriptor.js";
import { onnx } from "./onnx/descriptor.js";
import { scripted } from "./scripted/descriptor.js";

export const ENGINES = { onnx, scripted } as const satisfies Readonly<Record<string, EngineDescriptor>>;

type EngineName = keyof typeof ENGINES;

const names = Object.keys(ENGINES) as [EngineName, ...EngineName[]];

/** What samples and trains where nothing else is asked for. */
export const DEFAULT_ENGINE: EngineName = "onnx";

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
} as const;
