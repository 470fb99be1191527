/** The figures of a run's iterations as TensorBoard shows them. */

import type { RunReader } from "../run/directory/reader.js";
import type { IterationRecord } from "../run/events.js";
import type { Scalar } from "./event-file.js";

const FIGURES: Readonly<Record<string, (record: IterationRecord) => number | null>> = {
  "test/accuracy": ({ testAccuracy }) => testAccuracy,
  "test/finished": ({ testFinished }) => testFinished,
  "visit/alpha": ({ alpha }) => alpha,
  "visit/visited": ({ visited }) => visited,
  "visit/popped": ({ popped }) => popped,
  "visit/kept": ({ kept }) => kept,
  "train/loss": ({ loss }) => loss,
  "train/steps": ({ steps }) => steps,
  "flops/sampling": ({ flops }) => flops.sampling,
  "flops/training": ({ flops }) => flops.training,
  "flops/cumulative": ({ cumulativeFlops }) => cumulativeFlops.total,
};

/** By iteration, each at the time when it was committed; the base model's accuracy is that of iteration 0. */
export function runScalars(run: RunReader): Scalar[] {
  const base = run.find("evaluated", 0);
  const first =
    base === undefined
      ? []
      : [{ tag: "test/accuracy", step: 0, time: secondsOf(base.time), value: base.result.accuracy }];
  const rest = run.records.flatMap((record) => {
    const step = record.iteration;
    const time = secondsOf(run.find("committed", step)?.time ?? run.opened.time);
    return Object.entries(FIGURES).flatMap(([tag, figure]) => {
      const value = figure(record);
      return value === null ? [] : [{ tag, step, time, value }];
    });
  });
  return [...first, ...rest];
}

function secondsOf(time: string): number {
  return Date.parse(time) / 1000;
}
