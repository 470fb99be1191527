/**
 * A language model's opinion of the rationales that led to right answers: an answer can be right by luck, or by errors
 * that cancel out (AdaSTaR, Figure 3b). The verdicts are the judge's, not facts. Where a task checks steps by program,
 * they are compared with that, which shows how far to trust the same judge elsewhere.
 */

import { createHash } from "node:crypto";
import { seedFor } from "../../algorithm/random.js";
import { UserError } from "../../errors.js";
import { taskOptions } from "../../run/config/config.js";
import { RunReader } from "../../run/directory/reader.js";
import type { DrawnSample } from "../../run/directory/records.js";
import { dataDigest } from "../../run/identity.js";
import { chosenExemplars, limited } from "../../run/loop/open-parts.js";
import { openPromptModel } from "../../run/open-engine.js";
import { encodePrompts } from "../../run/prompts/prompts.js";
import { openTask } from "../../tasks/registry.js";
import type { Observation, Task } from "../../tasks/task.js";
import { inParallel } from "../../workers.js";
import { chosenIterations } from "../audit.js";
import { type ChatClient, RequestFailed } from "./client.js";
import { defaultJudgeLog, JudgeLog, type LoggedVerdict } from "./log.js";
import { PROMPT_VERSION, questionAbout, verdictIn } from "./prompt.js";

export interface JudgeOptions {
  /** Only this iteration. */
  readonly iteration?: number | undefined;
  /** At most so many correct samples of each iteration; 100 when left out. */
  readonly samples?: number | undefined;
  /** As many samples with a wrong step as without, where the task checks steps: for agreement, not for rates. */
  readonly balanced?: boolean | undefined;
  /** Requests at a time; 4 when left out. */
  readonly concurrency?: number | undefined;
  /** Longest reply, in tokens; 1,024 when left out. */
  readonly maxTokens?: number | undefined;
  /** Where verdicts are kept; beside the run directory when left out. */
  readonly log?: string | undefined;
  /** The run's task, instead of the one its configuration names. */
  readonly task?: Task | undefined;
  /** Aborting it ends the work with the signal's reason; what was judged is kept. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: JudgeProgress) => void) | undefined;
}

export interface JudgeProgress {
  readonly log: string;
  /** Lines of the log that are no verdicts. */
  readonly passedOver: number;
  /**
   * Different questions to the judge, those with a verdict in the log from before, and those done now, with or without
   * an answer.
   */
  readonly questions: number;
  readonly reused: number;
  readonly done: number;
}

/** A sample, and the outcome of the question about it. */
export interface JudgedRationale {
  readonly iteration: number;
  readonly sample: DrawnSample;
  readonly outcome: LoggedVerdict | { readonly failed: string };
}

export interface Judging {
  readonly model: string;
  /** Version of the prompt. */
  readonly prompt: number;
  readonly balanced: boolean;
  readonly log: string;
  /** Whether the task checks steps by program. */
  readonly checked: boolean;
  /** Each iteration with training samples, and how many of those are correct. */
  readonly iterations: readonly { readonly iteration: number; readonly correct: number }[];
  readonly rationales: readonly JudgedRationale[];
  /** Answered now, rather than found in the log. */
  readonly asked: readonly LoggedVerdict[];
}

const DEFAULTS = { samples: 100, concurrency: 4, maxTokens: 1024 } as const;

/** After so many requests in a row without an answer, no more are made. */
const MAX_FAILURES = 5;

/**
 * Has correct training samples judged, and changes nothing in the run directory. Throws UserError when there is no run
 * or no such iteration, its data are no longer those it was made with, or the endpoint cannot be used.
 */
export async function judgeRun(dir: string, client: ChatClient, options: JudgeOptions = {}): Promise<Judging> {
  const { samples: most = DEFAULTS.samples, maxTokens = DEFAULTS.maxTokens, balanced = false, onProgress } = options;
  const run = RunReader.open(dir);
  const { config } = run;
  const drawn = chosenIterations(run, options.iteration)
    .map((iteration) => ({ iteration, samples: [...run.draws(iteration)] }))
    .filter(({ samples }) => samples.length > 0)
    .map(({ iteration, samples }) => ({ iteration, correct: samples.filter(({ correct }) => correct) }));
  const checked = drawn.some(({ correct }) => correct.some(({ wrongStep }) => wrongStep !== undefined));
  if (balanced && !checked) {
    throw new UserError(
      `--judge-balanced: expected a task whose steps a program checks, got a run without such checks in ${dir}; leave it out`,
    );
  }
  const log = new JudgeLog(options.log ?? defaultJudgeLog(dir, client.model), dir);
  const chosen = drawn.flatMap(({ iteration, correct }) =>
    chosenSamples(correct, { seed: config.seed, iteration, most, balanced }).map((sample) => ({ iteration, sample })),
  );
  const train = chosen.length === 0 ? [] : await openedObservations(run, options.task);
  const questions = chosen.map(({ iteration, sample }) => {
    const message = questionAbout(train[sample.observation], sample.text);
    return { iteration, sample, message, key: keyOf(client.model, message, maxTokens) };
  });
  const open = new Map(questions.map((question) => [question.key, question]));
  const total = open.size;
  for (const key of open.keys()) if (log.find(key) !== undefined) open.delete(key);
  const reused = total - open.size;
  let done = 0;
  const report = () => onProgress?.({ log: log.path, passedOver: log.passedOver, questions: total, reused, done });
  report();

  const asked: LoggedVerdict[] = [];
  const failures = new Map<string, string>();
  let failedInARow = 0;
  const ask = async ({ iteration, sample, message, key }: (typeof questions)[number], signal: AbortSignal) => {
    try {
      const { text, ...reply } = await client.ask(message, maxTokens, signal);
      const { id, attempt } = sample;
      const verdict = verdictIn(text, reply.finish);
      const { model } = client;
      const record = { key, model, prompt: PROMPT_VERSION, iteration, id, attempt, verdict, reply: text, ...reply };
      log.append(record);
      asked.push(record);
      failedInARow = 0;
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      failures.set(key, error.message);
      if (++failedInARow === MAX_FAILURES) throw gaveUp(`${MAX_FAILURES} requests in a row`, error.message, log.path);
    }
    done++;
    report();
  };
  await inParallel([...open.values()], options.concurrency ?? DEFAULTS.concurrency, options.signal, ask);
  const [reason] = failures.values();
  if (reason !== undefined && failures.size === total) throw gaveUp("all requests", reason, log.path);

  const outcomeOf = (key: string) => log.find(key) ?? { failed: failures.get(key) ?? "not asked" };
  return {
    model: client.model,
    prompt: PROMPT_VERSION,
    balanced,
    log: log.path,
    checked,
    iterations: drawn.map(({ iteration, correct }) => ({ iteration, correct: correct.length })),
    rationales: questions.map(({ iteration, sample, key }) => ({ iteration, sample, outcome: outcomeOf(key) })),
    asked,
  };
}

function gaveUp(what: string, reason: string, log: string): UserError {
  return new UserError(
    `${what} to the judge failed, of which one: ${reason}. Verdicts so far are in ${log}; the same command continues from there`,
  );
}

/** All that a reply depends on, as far as the asking side goes. */
function keyOf(model: string, message: string, maxTokens: number): string {
  return createHash("sha256")
    .update(JSON.stringify([PROMPT_VERSION, model, maxTokens, message]))
    .digest("hex");
}

interface Choice {
  /** The run's seed. */
  readonly seed: number;
  readonly iteration: number;
  readonly most: number;
  readonly balanced: boolean;
}

/** A random choice that is the same every time, in the order of the log; a larger one contains a smaller one. */
export function chosenSamples(correct: readonly DrawnSample[], { most, balanced, ...place }: Choice): DrawnSample[] {
  const lowest = (samples: readonly DrawnSample[], count: number) =>
    samples
      .map((sample) => ({ sample, rank: rankOf(place, sample) }))
      .sort((a, b) => a.rank - b.rank)
      .slice(0, count)
      .map(({ sample }) => sample);
  const groups = balanced
    ? [
        correct.filter(({ wrongStep }) => typeof wrongStep === "number"),
        correct.filter(({ wrongStep }) => wrongStep === null),
      ]
    : [correct];
  const each = Math.min(Math.floor(most / groups.length), ...(balanced ? groups.map(({ length }) => length) : []));
  const chosen = new Set(groups.flatMap((group) => lowest(group, each)));
  return correct.filter((sample) => chosen.has(sample));
}

/** A random number by seed, iteration, observation and try, as everything random in a run. */
function rankOf({ seed, iteration }: Pick<Choice, "seed" | "iteration">, sample: DrawnSample): number {
  return seedFor(seed, "judge-choice", iteration, sample.observation, sample.attempt);
}

/**
 * The run's training observations. Throws UserError when task, data or worked examples are no longer those it was made
 * with.
 */
async function openedObservations(run: RunReader, given: Task | undefined): Promise<readonly Observation[]> {
  const { dir, config, opened } = run;
  const task = given ?? (await openTask(taskOptions(config)));
  try {
    const train = limited("training", task.train, config.trainLimit);
    const test = limited("test", task.test, config.evalLimit);
    const exemplars = await chosenExemplars(config, task);
    const maxTokens = config.maxTokens ?? task.maxTokens;
    const sources = { task, exemplars, train, test, method: opened.method, maxTokens, chat: true };
    const chat = config.chat ? encodePrompts(await openPromptModel(config), sources) : null;
    if (dataDigest({ task, train, test, exemplars, maxTokens, chat }) === opened.data) return train;
  } finally {
    if (given === undefined) await task.verifier.module?.close();
  }
  throw new UserError(
    `${dir}: expected the observations and prompts${task.verifier.module === undefined ? "" : ", and the verifier,"} that the run was made with, got others: ` +
      "a judge would be shown other questions than the samples answer. Restore the files" +
      (config.chat ? ", the model's chat template among them" : ""),
  );
}
