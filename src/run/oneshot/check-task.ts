/**
 * What can be known about a task before a model runs: its rows, whether they verify, how long they are, how prompts
 * look.
 */

import type { ChatTemplate, Engine } from "../../engine/engine.js";
import { UserError } from "../../errors.js";
import { fewShotPrefix } from "../../tasks/prompt.js";
import { openTask } from "../../tasks/registry.js";
import type { Exemplar, Task, TaskSource } from "../../tasks/task.js";
import { type SelfCheckReport, selfCheck } from "../../tasks/verifiers/self-check.js";
import { methodOf, taskOptions } from "../config/config.js";
import type { RunConfig } from "../config/fields.js";
import { chosenExemplars } from "../loop/open-parts.js";
import { openPromptModel } from "../open-engine.js";
import { chatText } from "../prompts/chat-prompts.js";
import { type LengthSources, lengthsInTokens, lengthsInWords, type PromptLengths } from "../prompts/prompt-lengths.js";

export interface TaskCheck {
  /** `rows` includes refused rows, which never verify. */
  readonly report: SelfCheckReport;
  readonly counts: Readonly<Record<"train" | "test" | "refused", number>>;
  /** The first few rows that are not valid observations, as messages. */
  readonly refused: readonly string[];
  /** Undefined for generated tasks. */
  readonly source: TaskSource | undefined;
  /** What was decided while the task was opened and not asked for, such as its verifier. */
  readonly notices: readonly string[];
  readonly lengths: PromptLengths;
  /** Prompts of the first training observation, as the model gets them; null without one. */
  readonly prompts: RenderedPrompts | null;
  /** What has to be fixed before a run, as messages; empty if nothing has. */
  readonly problems: readonly string[];
}

interface RenderedPrompts {
  readonly zeroShot: string;
  readonly fewShot: string;
  readonly hinted: string;
}

const MAX_REFUSED = 20;

/**
 * Loads the whole task and collects its bad rows. Reads these settings: task, data, model, worked examples, method and
 * `maxTokens`. Throws UserError for everything else that would keep a run from starting.
 */
export async function checkTask(config: RunConfig): Promise<TaskCheck> {
  const refused: string[] = [];
  let refusals = 0;
  const task = await openTask(taskOptions(config), ({ message }) => {
    refusals++;
    if (refused.length < MAX_REFUSED) refused.push(message);
  });
  try {
    const checked = selfCheck(task);
    const report = { ...checked, rows: checked.rows + refusals };
    const counts = { train: task.train.length, test: task.test.length, refused: refusals };
    const exemplars = await chosenExemplars(config, task);
    const model = await openPromptModel(config);
    const lengths = measure(model, config, task, exemplars);
    const problems = problemsOf(report, counts, lengths);
    const prompts = rendered(task, exemplars, config.chat ? model.tokenizer.chat : undefined);
    const { source, notices = [] } = task;
    return { report, counts, refused, source, notices, lengths, prompts, problems };
  } finally {
    await task.verifier.module?.close();
  }
}

/** In tokens of the configured model, else of the starter model; in words if that cannot encode the text. */
function measure(
  model: Pick<Engine, "tokenizer" | "model">,
  config: RunConfig,
  task: Task,
  exemplars: readonly Exemplar[],
): PromptLengths {
  const maxTokens = config.maxTokens ?? task.maxTokens;
  const sources: LengthSources = { task, exemplars, method: methodOf(config, task), maxTokens, chat: config.chat };
  try {
    return lengthsInTokens(model, sources);
  } catch (error) {
    if (config.model !== null || config.chat || !(error instanceof UserError)) throw error;
    return lengthsInWords(task);
  }
}

function rendered(
  { format, train: [first] }: Task,
  exemplars: readonly Exemplar[],
  chat: ChatTemplate | undefined,
): RenderedPrompts | null {
  if (first === undefined) return null;
  if (chat !== undefined) {
    return {
      zeroShot: chatText(chat, format, [], first),
      fewShot: chatText(chat, format, exemplars, first),
      hinted: chatText(chat, format, exemplars, first, true),
    };
  }
  return {
    zeroShot: format.prompt(first),
    fewShot: fewShotPrefix(format, exemplars) + format.prompt(first),
    hinted: fewShotPrefix(format, exemplars, true) + format.hintedPrompt(first),
  };
}

function problemsOf(report: SelfCheckReport, counts: TaskCheck["counts"], { context }: PromptLengths): string[] {
  const unverified = report.rows - counts.refused - report.goldVerified;
  const problems: readonly (readonly [number, string])[] = [
    [counts.train === 0 ? 1 : 0, "there is no training observation"],
    [counts.test === 0 ? 1 : 0, "there is no test observation"],
    [counts.refused, `${counts.refused} rows are not valid observations`],
    [unverified, `${unverified} gold answers do not verify`],
    [report.wrongAccepted, `${report.wrongAccepted} wrong answers are accepted`],
    [context?.tooLong ?? 0, `${context?.tooLong} prompts exceed the model's context`],
  ];
  return problems.filter(([number]) => number > 0).map(([, words]) => words);
}
