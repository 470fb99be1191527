import { expect, test } from "vitest";
import type { RunEvent } from "../../src/run/events.js";
import { tee } from "../../src/run/listeners.js";
import { startRun } from "../../src/run/loop/runner.js";
import { recorder, smallConfig, smallTask } from "./small-run.js";

const base: RunEvent = { kind: "base", testAccuracy: 0.5, testFinished: 1, seconds: 1 };

test("a listener that throws is reported once to the others and dropped, and the run continues", async () => {
  const [before, after] = [recorder(), recorder()];
  let heard = 0;
  const broken = () => {
    if (++heard === 5) throw new Error("no space left in the tracker");
  };
  const options = { task: smallTask };
  const summary = await startRun(smallConfig({ iterations: 1 }), [before.listen, broken, after.listen], options);
  expect(summary.status).toBe("done");
  expect(heard).toBe(5);
  for (const { events } of [before, after]) {
    const failures = events.filter((event) => event.kind === "notice" && event.text.includes("in the tracker"));
    expect(failures).toHaveLength(1);
    expect(events.at(-1)?.kind).toBe("finished");
  }
  expect(after.events.length).toBe(before.events.length);
});

test("so is one whose promise is rejected", async () => {
  const { events, listen } = recorder();
  let heard = 0;
  const emit = tee([
    listen,
    async () => {
      heard++;
      throw new Error("offline");
    },
  ]);
  emit(base);
  await new Promise((resolve) => setImmediate(resolve));
  emit(base);
  expect(heard).toBe(1);
  expect(events).toMatchObject([base, { kind: "notice", text: expect.stringContaining("offline") }, base]);
});

test("when the only listener fails, nobody is left to hear of it", async () => {
  const failing = () => {
    throw new Error("broken");
  };
  const summary = await startRun(smallConfig({ iterations: 1 }), failing, { task: smallTask });
  expect(summary.status).toBe("done");
});

test("training events have the learning rate and the gradient's norm", async () => {
  const { events, listen } = recorder();
  await startRun(smallConfig({ iterations: 1, learningRateSchedule: "linear" }), listen, { task: smallTask });
  const training = events.flatMap((event) => (event.kind === "training" ? [event] : []));
  expect(training.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  const rates = training.map(({ learningRate }) => learningRate);
  expect(rates[0]).toBe(5e-3);
  expect(rates).toEqual(rates.toSorted((a, b) => b - a));
  expect(training.every(({ gradientNorm }) => gradientNorm > 0)).toBe(true);
});
