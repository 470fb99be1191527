import { Command, Option } from "commander";
import { UserError } from "../../errors.js";
import { formatCount, formatDuration, formatFixed } from "../../report/format.js";
import type { PretrainProgress } from "../../run/oneshot/pretrain.js";
import { type PretrainOptions, STARTER_RECIPE } from "../../run/oneshot/starter-recipe.js";
import { print, printJson, say } from "../output.js";
import { numberIn, wholeNumber } from "../parsers.js";

interface Options extends Omit<PretrainOptions, "contextLength" | "hardShare" | "threads"> {
  readonly out: string;
  readonly hardShare?: number;
  readonly threads?: number;
  readonly json?: boolean;
}

export function pretrainCommand(): Command {
  const setting = (flags: string, description: string, key: keyof PretrainOptions, parse: (text: string) => number) =>
    new Option(flags, description).argParser(parse).default(STARTER_RECIPE[key]);
  return new Command("pretrain")
    .description("Make a starter model for a generated task: a small Llama, trained on mostly easy worked examples.")
    .requiredOption("--out <path>", "Folder for the checkpoint; new or empty")
    .option("--task <name>", "Generated task to make it for (see `adastar tasks`)", STARTER_RECIPE.task)
    .addOption(setting("--seed <n>", "Seed of weights and examples", "seed", wholeNumber(0)))
    .addOption(setting("--steps <n>", "Optimizer steps", "steps", wholeNumber(1)))
    .addOption(setting("--batch-size <n>", "Examples a step", "batchSize", wholeNumber(1)))
    .addOption(setting("--learning-rate <n>", "Peak learning rate", "learningRate", numberIn(Number.MIN_VALUE, 1)))
    .addOption(setting("--warmup-steps <n>", "Steps of rising learning rate", "warmupSteps", wholeNumber(0)))
    .addOption(
      new Option("--hard-share <n>", "Share of hard entries in the examples (the task's own share)").argParser(
        numberIn(0, 1),
      ),
    )
    .addOption(setting("--width <n>", "Width of the model", "width", wholeNumber(2)))
    .addOption(setting("--layers <n>", "Layers", "layers", wholeNumber(1)))
    .addOption(setting("--heads <n>", "Attention heads", "heads", wholeNumber(1)))
    .addOption(setting("--mlp-width <n>", "Width between the layers' two projections", "mlpWidth", wholeNumber(1)))
    .addOption(new Option("--threads <n>", "Threads (all cores)").argParser(wholeNumber(1)))
    .option("--json", "The result as one line of JSON")
    .addHelpText(
      "after",
      `
Without options this makes the bundled starter model of the task again.

Examples:
  $ adastar pretrain --out my-starter
  $ adastar run --model my-starter
  $ adastar pretrain --task clock --hard-share 0.2 --out strong
  $ adastar run --task clock --model strong`,
    )
    .action(async ({ out, json, hardShare, threads, ...settings }: Options) => {
      const { pretrain } = await import("../../run/oneshot/pretrain.js");
      const { contextLength } = STARTER_RECIPE;
      const options = { ...settings, contextLength, hardShare: hardShare ?? null, threads: threads ?? null };
      await assertFree(out);
      const result = await pretrain(out, options, reportEvery(50));
      if (json) printJson({ checkpoint: out, ...result });
      else {
        const trained = `${formatCount(result.tokens)} tokens in ${formatDuration(result.seconds)}`;
        print(`${out}: trained on ${trained}, last loss ${formatFixed(result.loss, 3)}`);
      }
    });
}

/** Never overwrites a checkpoint. */
async function assertFree(folder: string): Promise<void> {
  const { readdir } = await import("node:fs/promises");
  const names = await readdir(folder).catch(() => []);
  if (names.length > 0) throw new UserError(`expected a new or empty folder, got ${folder} with ${names.length} files`);
}

function reportEvery(steps: number): (progress: PretrainProgress) => void {
  return ({ step, steps: all, loss, seconds }) => {
    if (step % steps !== 0 && step !== all) return;
    say(`step ${step} of ${all}: loss ${formatFixed(loss, 3)}, ${formatDuration(seconds)}`);
  };
}
