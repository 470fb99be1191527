import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { UpdatePipeline } from "../../../src/engine/tinker/update-pipeline.js";

it("sends ahead as far as it may, and takes note of results in the order of the updates", async () => {
  const pipeline = new UpdatePipeline(2);
  const events: string[] = [];
  const submit = (name: string, ms: number) =>
    pipeline.submit(async () => {
      events.push(`${name} sent`);
      return async () => {
        await sleep(ms);
        events.push(`${name} answered`);
        return () => events.push(`${name} noted`);
      };
    });
  // The second answer arrives long before the first.
  const results = [submit("a", 60), submit("b", 1), submit("c", 1)];
  await pipeline.idle();
  await Promise.all(results);
  expect(events.slice(0, 3)).toEqual(["a sent", "b sent", "b answered"]);
  expect(events.indexOf("c sent")).toBeGreaterThan(events.indexOf("a noted"));
  expect(events.filter((event) => event.endsWith("noted"))).toEqual(["a noted", "b noted", "c noted"]);
});

it("does not take note of an update that was answered after one before it failed", async () => {
  const pipeline = new UpdatePipeline(2);
  const noted: string[] = [];
  const failing = pipeline.submit(async () => async () => {
    await sleep(20);
    throw new Error("lost");
  });
  const behind = pipeline.submit(async () => async () => () => noted.push("behind"));
  const outcomes = await Promise.allSettled([failing, behind]);
  expect(outcomes.map((outcome) => outcome.status === "rejected" && String(outcome.reason))).toEqual([
    "Error: lost",
    "Error: lost",
  ]);
  expect(noted).toEqual([]);
});
