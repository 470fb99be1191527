/** What holds for every engine in the table. */

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineSettings } from "../../src/engine/descriptor.js";
import { DEFAULT_ENGINE, ENGINES, engineFields, engineNamed } from "../../src/engine/registry.js";
import type { Lesson } from "../../src/engine/scripted/lesson.js";
import { openCheckpoint } from "../../src/run/open-engine.js";
import { TestServer } from "./tinker/server.js";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start(settings.model);
});
afterAll(() => server.stop());

const settings: EngineSettings = {
  model: join(import.meta.dirname, "../fixtures/tiny-llama"),
  threads: 1,
  checkpointDtype: null,
  get url() {
    return server.url;
  },
  serverModel: null,
  adapterRank: 4,
  maxInFlight: null,
  allowHttp: false,
  loraRank: null,
  loraAlpha: null,
  loraDropout: null,
  loraTargets: null,
};
const lessons: readonly Lesson[] = [{ prompt: "a:", completion: " b", wrong: [" c"], group: "", difficulty: 0 }];

describe.each(Object.entries(ENGINES))("%s", (name, descriptor) => {
  it("opens as its descriptor says, and its prompt model is the opened one without weights", async () => {
    expect(engineNamed(name as keyof typeof ENGINES)).toBe(descriptor);
    const engine = await descriptor.open({ settings, seed: 1, lessons: () => lessons });
    try {
      expect(engine.capabilities).toEqual(descriptor.capabilities);
      const { model, tokenizer } = await descriptor.openPromptModel(settings);
      expect(model).toEqual(engine.model);
      const tokens = engine.tokenizer.encode("a b a");
      expect(tokenizer.encode("a b a")).toEqual(tokens);
      expect(tokenizer.endTokens).toEqual(engine.tokenizer.endTokens);
    } finally {
      await engine.close();
    }
  });

  it("uses settings that a run has", () => {
    for (const setting of descriptor.settings) expect(Object.keys(engineFields)).toContain(setting);
  });
});

it("lessons are made only for an engine that simulates", async () => {
  const refuse = () => {
    throw new Error("lessons were asked for");
  };
  for (const { open, capabilities } of Object.values(ENGINES)) {
    const opening = open({ settings, seed: 1, lessons: refuse }).then((engine) => engine.close());
    if (capabilities.simulated) await expect(opening).rejects.toThrow("lessons were asked for");
    else await opening;
  }
});

it("the setting offers every engine, the default one among them, and a checkpoint opens with the default one", async () => {
  expect(engineFields.engine.choices).toEqual(Object.keys(ENGINES));
  expect(engineFields.engine.default).toBe(DEFAULT_ENGINE);
  for (const { description } of Object.values(ENGINES)) expect(engineFields.engine.description).toContain(description);
  const engine = await openCheckpoint(settings);
  expect(engine.model.name).toBe("tiny-llama");
  await engine.close();
});
