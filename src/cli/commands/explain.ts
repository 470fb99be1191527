import { Command } from "commander";
import { type Explanation, explainObservation, type IterationExplanation } from "../../analysis/explain.js";
import { formatCount, formatPercent } from "../../report/format.js";
import { isCorrect } from "../../run/loop/sampling.js";
import { print, printJson } from "../output.js";

export function explainCommand(): Command {
  return new Command("explain")
    .description("Show what a run did with an observation and why; reads the run directory only.")
    .argument("<dir>", "The run directory")
    .argument("<observation>", "Its id, or its index in the training set, from 0, unless the ids are numbers")
    .option("--json", "Everything as one line of JSON")
    .addHelpText(
      "after",
      `
For each iteration: its place in the visiting order and why, its tries with their verdicts, whether its statistics were updated or held
back by the curriculum, and how often it was trained on.

Examples:
  $ adastar explain runs/my-run train-12
  $ adastar explain runs/my-run 12 --json`,
    )
    .action((dir: string, observation: string, { json }: { json?: boolean }) => {
      const explanation = explainObservation(dir, observation);
      if (json) printJson(explanation);
      else print(explanationText(explanation));
    });
}

function explanationText(explanation: Explanation): string {
  const { index, id, gold, observations, method, trained, iterations } = explanation;
  const of = observations === null ? "" : ` of ${formatCount(observations)}`;
  const heading = [
    `${id ?? "never drawn"} (index ${index}${of}), method ${method.name}`,
    ...(gold === null ? [] : [`gold answer: ${gold}`]),
    `trained on ${timesText(trained)}${method.completions === "gold" ? "; nothing is sampled: it is trained on its gold answer" : ""}`,
  ].join("\n");
  return [heading, ...iterations.map((one) => iterationText(one, explanation))].join("\n\n");
}

const OUTCOMES: Readonly<Record<IterationExplanation["outcome"], (one: IterationExplanation) => string>> = {
  "not reached": ({ visited }) => `not reached: the visit ended at place ${visited}`,
  speculated: ({ visited }) => `sampled but not needed: the visit ended at place ${visited}; not used`,
  updated: ({ popped }) => `statistics updated: among the first ${popped} of those visited`,
  "held back": ({ popped, visited }) =>
    `statistics held back by the curriculum: only the first ${popped} of ${visited} visited were updated, so it comes early again`,
  "under way": () => "the iteration is not finished",
};

function iterationText(one: IterationExplanation, { method, ties }: Explanation): string {
  const { iteration, place, key, tries, trained, outcome } = one;
  const why =
    key === null
      ? "in an order that is drawn for each iteration"
      : key.drawn === 0
        ? "never updated before"
        : `last updated in iteration ${key.lastSampled}, then right ${key.correct} of ${key.drawn} times (${formatPercent(key.correct / key.drawn, 0)})`;
  const ordered =
    key === null
      ? ""
      : `; the queue is ordered by ${method.queueKey.join(", ")}, ${ties === "index" ? "index" : "a random rank"}`;
  const lines = [
    `iteration ${iteration}: place ${place ?? "unknown"}, ${why}${ordered}`,
    ...tries.map((sample) => {
      const { attempt, hinted, text, extracted, stop, wrongStep } = sample;
      const right = sample.correct ? "correct" : "wrong";
      const stated = extracted === null ? "no answer found" : `answer ${extracted}`;
      const unfinished = stop === "length" ? ", cut by the token limit" : "";
      const readings =
        isCorrect(sample, "strict") === isCorrect(sample, "lenient")
          ? ""
          : `, strict ${sample.strict}, lenient ${sample.lenient}`;
      const step = typeof wrongStep === "number" ? `, step ${wrongStep + 1} is wrong` : "";
      const hint = hinted ? " (with a hint)" : "";
      return `  try ${attempt}${hint}: ${right}, ${stated}${unfinished}${readings}${step}\n${indented(text)}`;
    }),
    `  ${OUTCOMES[outcome](one)}`,
    ...(outcome === "not reached" ? [] : [`  trained on ${timesText(trained)} in this iteration`]),
  ];
  return lines.join("\n");
}

function timesText(count: number): string {
  return count === 1 ? "once" : `${formatCount(count)} times`;
}

function indented(text: string): string {
  return text
    .trim()
    .split("\n")
    .map((line) => `    │ ${line}`)
    .join("\n");
}
