import { Command, Option } from "commander";
import { type Replay, type ReplayedIteration, replayRun } from "../../analysis/replay.js";
import { type SimulatedIteration, simulate } from "../../analysis/simulate.js";
import { UserError } from "../../errors.js";
import { ABSENT, formatCount, formatDuration, formatFixed, formatPercent } from "../../report/format.js";
import { renderPairs, renderText } from "../../report/tables.js";
import { loadConfig, methodOf } from "../../run/config/config.js";
import { keysReadBy } from "../../run/config/fields.js";
import { refuseIneffectiveFlags } from "../../run/config/ineffective.js";
import { populationDeviation } from "../../statistics/descriptive.js";
import { addConfigOptions, statedSettings } from "../config-options.js";
import { print, printJson, say } from "../output.js";
import { wholeNumber } from "../parsers.js";

/** Settings of training: they change a simulated learner, never a recorded model. */
const SIMULATION_SETTINGS = keysReadBy("replay --simulate");

interface Options extends Readonly<Record<string, unknown>> {
  readonly simulate?: number;
  readonly json?: boolean;
}

/** Most observations of a simulation, which holds them in memory. */
const MAX_OBSERVATIONS = 10_000_000;

export function replayCommand(): Command {
  const command = new Command("replay")
    .description(
      "Run another sampling policy on the outcomes that a run recorded, or on a simulated learner. Needs no model.",
    )
    .argument("[dir]", "The run directory whose outcomes are replayed")
    .addOption(
      new Option("--simulate <n>", "Simulate a learner with so many observations instead, up to 10,000,000").argParser(
        wholeNumber(1),
      ),
    )
    .option("--json", "Every iteration as one line of JSON")
    .addHelpText(
      "after",
      `
The policy decides anew (visits, updates, D₊) while the model of each iteration stays the recorded one. An outcome that was not recorded is taken
from the nearest iteration that has it, else drawn by chance at the iteration's rate. The result says how many were.

Examples:
  $ adastar replay runs/my-run --method adastar-no-curriculum
  $ adastar replay runs/my-run --curriculum-power 1
  $ adastar replay --simulate 1000000 --method adastar --iterations 5`,
    )
    .action(async (dir: string | undefined, options: Options) => {
      const stated = statedSettings(options);
      if ((dir === undefined) === (options.simulate === undefined)) {
        throw new UserError(
          `expected either a run directory or --simulate N, got ${dir === undefined ? "neither" : "both"}`,
        );
      }
      if (dir === undefined) return simulated(options, stated);
      const useless = SIMULATION_SETTINGS.filter((key) => key in stated);
      if (useless.length > 0) {
        throw new UserError(
          `expected no ${useless.join(", ")} beside a run directory: the recorded models stay as they are. Leave it out, or use --simulate`,
        );
      }
      const replay = await replayRun(dir, stated);
      if (options.json) printJson({ ...replay, frequencies: [...replay.frequencies] });
      else print(replayText(replay));
    });
  return addConfigOptions(command, keysReadBy("replay", "replay --simulate"));
}

async function simulated(
  { simulate: observations = 1, json }: Options,
  stated: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (observations > MAX_OBSERVATIONS)
    throw new UserError(
      `--simulate: expected at most ${formatCount(MAX_OBSERVATIONS)} observations, got ${observations}`,
    );
  const resolved = loadConfig({ flags: stated });
  refuseIneffectiveFlags(resolved);
  const { config } = resolved;
  const method = methodOf(config, { rationalize: config.rationalize ?? false });
  const iterations = await simulate(config, method, observations, ({ iteration, seconds }) =>
    say(`iteration ${iteration}: ${formatDuration(seconds)}`),
  );
  if (json) printJson({ method, observations, iterations });
  else print(simulationText(iterations));
}

function replayText({ method, observations, iterations, sources, frequencies }: Replay): string {
  const needed = sources.recorded + sources["other iteration"] + sources.estimated;
  const share = (count: number) => `${formatCount(count)} (${formatPercent(count / needed)})`;
  const table = visitTable(iterations, [
    ["recorded", ({ sources: own, draws }) => formatPercent(own.recorded / draws)],
  ]);
  const facts = renderPairs([
    ["method", method.name],
    ["observations", formatCount(observations)],
    ["outcomes needed", formatCount(needed)],
    ["recorded", share(sources.recorded)],
    ["of another iteration", share(sources["other iteration"])],
    ["by chance", share(sources.estimated)],
    ["SD of times in D₊", formatFixed(populationDeviation(frequencies), 2)],
  ]);
  return `${table}\n\n${facts}`;
}

function simulationText(iterations: readonly SimulatedIteration[]): string {
  return visitTable(iterations, [
    ["trained", ({ trained }) => formatCount(trained)],
    ["accuracy", ({ accuracy }) => formatPercent(accuracy)],
    ["time", ({ seconds }) => formatDuration(seconds)],
  ]);
}

/** The figures that replayed and simulated iterations share. */
type VisitFigures = ReplayedIteration | SimulatedIteration;

type Column<T> = readonly [header: string, text: (one: T) => string];

const VISIT_COLUMNS: readonly Column<VisitFigures>[] = [
  ["iteration", ({ iteration }) => String(iteration)],
  ["βᵗ", ({ target }) => (target === null ? ABSENT : formatCount(target))],
  ["m", ({ visited }) => formatCount(visited)],
  ["α", ({ alpha }) => formatFixed(alpha, 3)],
  ["popped", ({ popped }) => formatCount(popped)],
  ["|D₊|", ({ kept }) => formatCount(kept)],
  ["samples", ({ draws }) => formatCount(draws)],
];

/** One row per iteration: the figures of its visit, then `more`. */
function visitTable<T extends VisitFigures>(iterations: readonly T[], more: readonly Column<T>[]): string {
  const columns: readonly Column<T>[] = [...VISIT_COLUMNS, ...more];
  return renderText({
    columns: columns.map(([header]) => ({ header, align: "right" })),
    rows: iterations.map((one) => columns.map(([, text]) => text(one))),
  });
}
