import { UserError } from "../../errors.js";
import type { EngineDescriptor } from "../descriptor.js";
import { DEFAULT_IN_FLIGHT, TINKER_CAPABILITIES } from "./capabilities.js";

/** Of the adapter's random matrices; a run's own seed keys samples and batches. */
const ADAPTER_SEED = 1;

export const tinker: EngineDescriptor<"model" | "url" | "serverModel" | "adapterRank" | "maxInFlight" | "allowHttp"> = {
  description: "a server that speaks the Tinker API, such as SkyRL",
  settings: ["model", "url", "serverModel", "adapterRank", "maxInFlight", "allowHttp"],
  capabilities: TINKER_CAPABILITIES,
  async open({ settings: { model, url, serverModel, adapterRank, maxInFlight, allowHttp } }) {
    if (url === null) {
      throw new UserError(
        "engine tinker: expected the server's address, such as --url http://127.0.0.1:8000, got none",
      );
    }
    const [{ openTinkerEngine }, { keyFromEnvironment }] = await Promise.all([
      import("./tinker-engine.js"),
      import("./connection.js"),
    ]);
    return openTinkerEngine({
      model,
      server: { url, allowHttp, key: keyFromEnvironment() },
      serverModel,
      adapter: { rank: adapterRank, seed: ADAPTER_SEED },
      maxInFlight: maxInFlight ?? DEFAULT_IN_FLIGHT,
    });
  },
  async openPromptModel({ model: folder, adapterRank }) {
    const { readPromptModel } = await import("./prompt-model.js");
    return readPromptModel(folder, adapterRank);
  },
};
