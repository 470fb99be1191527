/** All that a run did with one observation, and why it came when it did. */

import { explainIteration } from "../analysis/explain.js";
import { UserError } from "../errors.js";
import type { RunReader } from "../run/directory/reader.js";
import type { DrawnSample } from "../run/directory/records.js";
import type { ObservationHistory, SampleView } from "./api-types.js";
import { nextTurn } from "./pictures.js";

/** Characters of a rationale that are sent unless the whole is asked for. */
const MAX_TEXT = 4_000;
/** Places in the visiting order are found for the last iterations only, where a queue is large. */
const MAX_QUEUE_WORK = 3_000_000;

/** Throws UserError where the run has no such observation. */
export async function observationHistory(
  reader: RunReader,
  index: number,
  whole: boolean,
): Promise<ObservationHistory> {
  const size = reader.observations ?? 0;
  if (index >= size) throw new UserError(`expected an observation below ${size}, got ${index}`);
  const found = new Map((await reader.history(index)).map(({ iteration, samples }) => [iteration, samples]));
  const begun = reader.iterations.filter((t) => t > 0);
  const explained = new Set(begun.slice(-Math.max(2, Math.floor(MAX_QUEUE_WORK / Math.max(1, size)))));
  const iterations: ObservationHistory["iterations"][number][] = [];
  for (const iteration of begun) {
    const samples = found.get(iteration) ?? [];
    if (!explained.has(iteration) && samples.length === 0) continue;
    const why = explained.has(iteration)
      ? explainIteration(reader, reader.opened.method, {
          t: iteration,
          index,
          size,
          drawn: samples.length > 0,
        })
      : { place: null, key: null, visited: null, popped: null, outcome: "" };
    iterations.push({ iteration, ...why, samples: samples.map((sample) => viewOf(sample, whole)) });
    await nextTurn();
  }
  return { index, iterations };
}

function viewOf({ tokens: _, text, ...sample }: DrawnSample, whole: boolean): SampleView {
  return { ...sample, text: whole ? text : text.slice(0, MAX_TEXT), textLength: text.length };
}
