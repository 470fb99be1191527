import type { EngineDescriptor } from "../descriptor.js";
import { ONNX_CAPABILITIES } from "./capabilities.js";

export const onnx: EngineDescriptor<"model" | "threads" | "checkpointDtype"> = {
  description: "a Hugging Face checkpoint in this process",
  settings: ["model", "threads", "checkpointDtype"],
  capabilities: ONNX_CAPABILITIES,
  async open({ settings: { model, threads, checkpointDtype } }) {
    const { openOnnxEngine } = await import("./onnx-engine.js");
    return openOnnxEngine({
      model,
      ...(threads === null ? {} : { threads }),
      ...(checkpointDtype === null ? {} : { checkpointType: checkpointDtype }),
    });
  },
  async openPromptModel({ model: folder }) {
    const [{ readModelConfig }, { CheckpointTokenizer }, { modelFacts }, { modelNameOf }] = await Promise.all([
      import("../checkpoint/config-json.js"),
      import("../checkpoint/tokenizer.js"),
      import("../checkpoint/model-facts.js"),
      import("../checkpoint/model-source.js"),
    ]);
    const { config } = await readModelConfig(folder);
    const tokenizer = await CheckpointTokenizer.read(folder, config);
    return { tokenizer, model: modelFacts(modelNameOf(folder), config) };
  },
};
