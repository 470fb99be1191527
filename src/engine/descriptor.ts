/**
 * What describes an engine before it is opened. A descriptor's module is small: it loads the engine only when asked to
 * open it.
 */

import type { Lora } from "./checkpoint/lora.js";
import type { WeightType } from "./checkpoint/weight-types.js";
import type { Capabilities, Engine } from "./engine.js";
import type { Lesson } from "./scripted/lesson.js";

/** The settings that engines read, resolved. An engine names those that it uses. */
export interface EngineSettings {
  /** Folder of the base model's checkpoint. */
  readonly model: string;
  /** Processor threads; null: all cores. */
  readonly threads: number | null;
  /** Type of the weights in saved checkpoints; null: the base model's. */
  readonly checkpointDtype: WeightType | null;
  /** Address of a remote engine's server. */
  readonly url: string | null;
  /** The model's name on the server; null: the only one that it has. */
  readonly serverModel: string | null;
  /** Rank of the adapter that is trained. */
  readonly adapterRank: number;
  /** Requests that are at the server at once; null: the engine's default. */
  readonly maxInFlight: number | null;
  /** Allows requests to other machines without encryption. */
  readonly allowHttp: boolean;
  /** Rank of the LoRA adapter that is trained; null: all weights are trained, and the next three are null too. */
  readonly loraRank: number | null;
  /** Null: twice the rank. */
  readonly loraAlpha: number | null;
  /** Null: 0. */
  readonly loraDropout: number | null;
  /** Null: all linear maps. */
  readonly loraTargets: Lora["targets"] | null;
}

type EngineSetting = keyof EngineSettings;

interface OpenRequest<K extends EngineSetting = EngineSetting> {
  readonly settings: Pick<EngineSettings, K>;
  /** Seed of the run, for what the engine draws when it opens. */
  readonly seed: number;
  /** All that the engine will be asked, with right and wrong answers, for a simulation. Made when it is called. */
  readonly lessons: () => readonly Lesson[];
}

/** What turns prompts into tokens, without the model's weights. */
export type PromptModel = Pick<Engine, "tokenizer" | "model">;

export interface EngineDescriptor<K extends EngineSetting = EngineSetting> {
  /** What it is, in a few words, for help texts. */
  readonly description: string;
  /** Settings that change what `open` opens; it gets no others. */
  readonly settings: readonly K[];
  /** As far as they are known before it is opened; `Engine.capabilities` has them for an open one. */
  readonly capabilities: Capabilities;
  /** Opens the engine with its base model. Throws UserError when that cannot be used. */
  open(request: OpenRequest<K>): Promise<Engine>;
  /** Tokenizer and facts of the model that `open` would open, without its weights. Throws UserError as `open` does. */
  openPromptModel(settings: Pick<EngineSettings, K>): Promise<PromptModel>;
}
