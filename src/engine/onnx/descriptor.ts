import { UserError } from "../../errors.js";
import { LORA_TARGETS, type Lora } from "../checkpoint/lora.js";
import type { EngineDescriptor, EngineSettings } from "../descriptor.js";
import { ONNX_CAPABILITIES } from "./capabilities.js";

type LoraSetting = "loraRank" | "loraAlpha" | "loraDropout" | "loraTargets";

export const onnx: EngineDescriptor<"model" | "threads" | "checkpointDtype" | LoraSetting> = {
  description: "a Hugging Face checkpoint in this process",
  settings: ["model", "threads", "checkpointDtype", "loraRank", "loraAlpha", "loraDropout", "loraTargets"],
  capabilities: ONNX_CAPABILITIES,
  async open({ settings, seed }) {
    const { model, threads, checkpointDtype } = settings;
    const lora = loraOf(settings);
    const { openOnnxEngine } = await import("./onnx-engine.js");
    return openOnnxEngine({
      model,
      seed,
      ...(threads === null ? {} : { threads }),
      ...(checkpointDtype === null ? {} : { checkpointType: checkpointDtype }),
      ...(lora === null ? {} : { lora }),
    });
  },
  async openPromptModel(settings) {
    const [{ readModelConfig }, { CheckpointTokenizer }, { modelFacts }, { baseFolderOf, modelNameOf }] =
      await Promise.all([
        import("../checkpoint/config-json.js"),
        import("../checkpoint/tokenizer.js"),
        import("../checkpoint/model-facts.js"),
        import("../checkpoint/model-source.js"),
      ]);
    const folder = await baseFolderOf(settings.model);
    const { config } = await readModelConfig(folder);
    const tokenizer = await CheckpointTokenizer.read(folder, config);
    return { tokenizer, model: modelFacts(modelNameOf(settings.model), config, loraOf(settings)) };
  },
};

/** The adapter that the settings ask for. Throws UserError for settings of an adapter without one. */
function loraOf(settings: Pick<EngineSettings, LoraSetting | "checkpointDtype">): Lora | null {
  const { loraRank: rank, loraAlpha, loraDropout, loraTargets, checkpointDtype } = settings;
  if (rank === null) {
    const idle = Object.entries({
      "--lora-alpha": loraAlpha,
      "--lora-dropout": loraDropout,
      "--lora-targets": loraTargets,
    })
      .filter(([, value]) => value !== null)
      .map(([flag]) => flag);
    if (idle.length === 0) return null;
    throw new UserError(`expected --lora-rank beside ${idle.join(", ")}, got none; without a rank there is no adapter`);
  }
  if (checkpointDtype !== null && checkpointDtype !== "float32") {
    throw new UserError(
      `expected no --checkpoint-dtype with --lora-rank, got ${checkpointDtype}: an adapter is saved in float32; leave it out`,
    );
  }
  return { rank, alpha: loraAlpha ?? 2 * rank, dropout: loraDropout ?? 0, targets: loraTargets ?? LORA_TARGETS };
}
