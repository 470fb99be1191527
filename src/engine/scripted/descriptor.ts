import type { EngineDescriptor } from "../descriptor.js";
import { SCRIPTED_CAPABILITIES, SCRIPTED_MODEL } from "./model.js";

export const scripted: EngineDescriptor<never> = {
  description: "a simulated learner",
  settings: [],
  capabilities: SCRIPTED_CAPABILITIES,
  async open({ lessons }) {
    const { openScriptedEngine } = await import("./scripted-engine.js");
    return openScriptedEngine({ lessons: lessons() });
  },
  async openPromptModel() {
    const { codePointTokenizer } = await import("./code-point-tokenizer.js");
    return { tokenizer: codePointTokenizer, model: SCRIPTED_MODEL };
  },
};
