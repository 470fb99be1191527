/**
 * A simulated learner with the Engine interface: fast and deterministic, for tests, scale studies and research on
 * sampling orders. It is opened with everything that it can be asked. It writes the right completion or a wrong one as
 * real text that a verifier reads, by a skill that grows when it is trained on that lesson or similar ones
 * (learner.ts).
 */

import { uniform } from "../../algorithm/random.js";
import { shown, UserError } from "../../errors.js";
import { mean, sum } from "../../statistics/descriptive.js";
import {
  type CallOptions,
  type CheckpointRef,
  type Engine,
  folderOf,
  type ModelFacts,
  type OptimizerParams,
  type Sample,
  type SampleRequests,
  type SamplingParams,
  type SaveOptions,
  type SaveTarget,
  type TrainingExample,
  type TrainStepResult,
} from "../engine.js";
import { RequestSource } from "../request-source.js";
import { firstStop } from "../stop-texts.js";
import { UpdateQueue } from "../update-queue.js";
import { codePointTokenizer, END_TOKEN } from "./code-point-tokenizer.js";
import { type Evidence, Learner, type LearnerTraits } from "./learner.js";
import { digestOf, readCheckpoint, writeCheckpoint } from "./learner-file.js";
import { type Asked, type Lesson, LessonBook } from "./lesson.js";
import { SCRIPTED_CAPABILITIES, SCRIPTED_MODEL } from "./model.js";

export interface ScriptedOptions extends Partial<LearnerTraits> {
  /** Everything that it can be asked, training and test. */
  readonly lessons: readonly Lesson[];
  /** Facts for cost accounting; by default those of a model of about a million parameters. */
  readonly model?: Partial<ModelFacts>;
}

export const DEFAULT_TRAITS: LearnerTraits = {
  ability: 1,
  difficultyStep: 1,
  hintBonus: 2,
  responsiveness: 100,
  byGroup: 0.3,
  byAll: 0.05,
};

const { encode, decode } = codePointTokenizer;

export async function openScriptedEngine(options: ScriptedOptions): Promise<Engine> {
  return new ScriptedEngine(options);
}

class ScriptedEngine implements Engine {
  readonly model: ModelFacts;
  readonly tokenizer = codePointTokenizer;
  readonly capabilities = SCRIPTED_CAPABILITIES;
  readonly #lessons: readonly Lesson[];
  readonly #book: LessonBook;
  readonly #learner: Learner;
  readonly #updates = new UpdateQueue();
  /** Digest of the lessons, computed when a checkpoint first needs it. */
  #digest: Buffer | undefined;
  #open = true;

  constructor({ lessons, model, ...traits }: ScriptedOptions) {
    this.model = { ...SCRIPTED_MODEL, ...model };
    this.#lessons = lessons;
    this.#book = new LessonBook(lessons);
    this.#learner = new Learner(lessons, { ...DEFAULT_TRAITS, ...traits });
  }

  /** Yields samples in reverse order on purpose, to expose callers that assume the order of the requests. */
  async *sample(
    requests: SampleRequests,
    params: SamplingParams,
    { signal }: CallOptions = {},
  ): AsyncGenerator<Sample, void, undefined> {
    this.#checkOpen();
    await this.#updates.idle();
    const before = decode(params.prefix).slice(-this.#book.longest);
    const source = new RequestSource(requests, {
      check: ({ name, prompt }) => this.#checkPrompt(name, prompt, params),
      signal,
    });
    try {
      while (source.remaining > 0) {
        const taken = await source.take(this.capabilities.maxInFlight, true);
        for (const { index, name, prompt, seed } of taken.reverse()) {
          signal?.throwIfAborted();
          const asked = this.#book.askedBy(before + decode(prompt));
          if (asked === undefined) {
            throw new UserError(
              `${name}: expected a prompt that ends with one of the ${this.#lessons.length} lessons of the scripted engine, got ${shown(decode(prompt))}; open the engine with all that it will be asked`,
            );
          }
          yield { index, ...cut(this.#output(asked, seed, params), params) };
        }
      }
    } finally {
      source.close();
    }
  }

  trainStep(
    examples: readonly TrainingExample[],
    params: OptimizerParams,
    { signal }: CallOptions = {},
  ): Promise<TrainStepResult> {
    return this.#updates.submit(async () => this.#update(examples, params), signal);
  }

  #update(examples: readonly TrainingExample[], params: OptimizerParams): TrainStepResult {
    this.#checkOpen();
    if (examples.length === 0) throw new UserError("expected at least one example to train on, got none");
    const { loss, gradient } = this.#learner.gradient(examples.map((example) => this.#evidence(example)));
    if (!Number.isFinite(loss)) {
      const names = examples.map(({ name }) => name).join(", ");
      throw new UserError(
        `expected a finite loss, got ${loss} on ${shown(names)}; lower the learning rate (${params.learningRate})`,
      );
    }
    let squares = 0;
    for (const value of gradient.values()) squares += value * value;
    const gradientNorm = Math.sqrt(squares);
    const { maxGradientNorm = Number.POSITIVE_INFINITY } = params;
    this.#learner.update(gradient, gradientNorm > maxGradientNorm ? maxGradientNorm / gradientNorm : 1, params);
    return {
      loss,
      gradientNorm,
      tokens: sum(examples.map(({ tokens }) => tokens.length)),
      completionTokens: sum(examples.map(({ tokens, completionStart }) => tokens.length - completionStart)),
    };
  }

  async resetOptimizer(): Promise<void> {
    await this.#settled();
    this.#learner.resetOptimizer();
  }

  async reset(): Promise<void> {
    await this.#settled();
    this.#learner.reset();
  }

  async save({ folder }: SaveTarget, { optimizer = false }: SaveOptions = {}): Promise<CheckpointRef> {
    await this.#settled();
    this.#digest ??= digestOf(this.#lessons);
    await writeCheckpoint(folder, this.#digest, this.#learner.state(optimizer));
    return { folder, weights: this.#learner.checksum() };
  }

  async restore(checkpoint: CheckpointRef): Promise<void> {
    await this.#settled();
    this.#digest ??= digestOf(this.#lessons);
    const folder = folderOf(checkpoint);
    this.#learner.setState(await readCheckpoint(folder, this.#digest, this.#learner.parameters));
  }

  async checksum(): Promise<string> {
    await this.#settled();
    return this.#learner.checksum();
  }

  /**
   * Log-probabilities of the right completion, of the wrong ones together, and the mean over the right ones of all
   * lessons, since lessons may share no skill.
   */
  async canary(prompt: readonly number[]): Promise<readonly number[]> {
    await this.#settled();
    const asked = this.#book.askedBy(decode(prompt).slice(-this.#book.longest));
    if (asked === undefined) throw new UserError(`expected one of the engine's lessons, got ${shown(decode(prompt))}`);
    const odds = this.#learner.logOdds(asked.lesson, asked.hinted);
    // log σ(x), without overflow for large odds.
    const logSigmoid = (x: number) => Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x)));
    const all = this.#lessons.map((_, lesson) => logSigmoid(this.#learner.logOdds(lesson, false)));
    return [logSigmoid(odds), logSigmoid(-odds), mean(all)];
  }

  async close(): Promise<void> {
    await this.#updates.idle();
    this.#open = false;
  }

  /** Resolves when every submitted update is made; throws if the engine is closed. */
  async #settled(): Promise<void> {
    this.#checkOpen();
    await this.#updates.idle();
  }

  #checkOpen(): void {
    if (!this.#open) throw new Error("expected an open engine, got one that was closed");
  }

  #checkPrompt(name: string, prompt: readonly number[], { prefix, maxTokens }: SamplingParams): void {
    const length = prefix.length + prompt.length;
    if (length === 0) throw new UserError(`${name}: expected a prompt of at least one token, got none`);
    if (length + maxTokens > this.model.contextLength) {
      throw new UserError(
        `${name}: expected prompt and generation to fit the context of ${this.model.contextLength} tokens, got ${length} and ${maxTokens}; shorten the prompt or lower the token limit`,
      );
    }
  }

  /** The whole text that follows a prompt: the right completion or one of the wrong ones. */
  #output(asked: Asked, seed: number, params: SamplingParams): string {
    const { completion, wrong } = this.#lessons[asked.lesson];
    const continuations = [completion, ...wrong];
    // The wrong ones together weigh e⁰, so that at temperature 1 the right one has the learner's log-odds.
    const logits = continuations.map(() => -Math.log(wrong.length));
    logits[0] = this.#learner.logOdds(asked.lesson, asked.hinted);
    return continuations[draw(logits, params, uniform(seed, 0))];
  }

  /** How much of an example's completion is what its lesson teaches. */
  #evidence({ name, tokens, completionStart }: TrainingExample): Evidence {
    if (tokens.length > this.model.contextLength) {
      throw new UserError(
        `${name}: expected at most ${this.model.contextLength} tokens (the context), got ${tokens.length}; leave the example out`,
      );
    }
    if (!Number.isInteger(completionStart) || completionStart < 1 || completionStart >= tokens.length) {
      throw new Error(
        `${name}: expected a completion that starts within 1 to ${tokens.length - 1}, got ${completionStart}`,
      );
    }
    const { lesson, promptEnd } = this.#lessonIn(name, tokens.slice(0, completionStart));
    const { completion: written, alsoRight = [] } = this.#lessons[lesson];
    const completion = tokens.slice(completionStart);
    const compared = [written, ...alsoRight].map((text): Evidence => {
      const taught = [...encode(text), END_TOKEN];
      const right = completion.filter((token, i) => token === taught[completionStart - promptEnd + i]).length;
      return { lesson, right, wrong: completion.length - right, length: taught.length };
    });
    return compared.reduce((closest, evidence) => (evidence.wrong < closest.wrong ? evidence : closest));
  }

  /**
   * The lesson that a context asks for. The context ends with the lesson's prompt, or with the beginning of a
   * completion after it.
   */
  #lessonIn(name: string, context: readonly number[]): { readonly lesson: number; readonly promptEnd: number } {
    for (let promptEnd = context.length; promptEnd > 0; promptEnd--) {
      const start = Math.max(0, promptEnd - this.#book.longest);
      const asked = this.#book.askedBy(decode(context.slice(start, promptEnd)));
      if (asked !== undefined) return { lesson: asked.lesson, promptEnd };
    }
    throw new UserError(
      `${name}: expected an example of one of the ${this.#lessons.length} lessons of the scripted engine, got ${shown(decode(context))}`,
    );
  }
}

/** Which of several continuations is sampled, with temperature and nucleus; `random` is uniform in [0, 1). */
function draw(logits: readonly number[], { temperature, topP }: SamplingParams, random: number): number {
  const largest = Math.max(...logits);
  if (temperature === 0) return logits.indexOf(largest);
  const weights = logits.map((logit) => Math.exp((logit - largest) / temperature));
  const total = sum(weights);
  const likeliestFirst = weights.map((_, i) => i).sort((a, b) => weights[b] - weights[a]);
  const nucleus: number[] = [];
  let mass = 0;
  for (const i of likeliestFirst) {
    if (mass >= topP * total) break;
    nucleus.push(i);
    mass += weights[i];
  }
  let left = random * mass;
  for (const i of nucleus) {
    left -= weights[i];
    if (left < 0) return i;
  }
  return nucleus[nucleus.length - 1];
}

/** Where a model that writes `output` token by token would have stopped. */
function cut(output: string, { stop, maxTokens }: SamplingParams): Omit<Sample, "index"> {
  const tokens = encode(output);
  const found = firstStop(output, stop);
  const generatedTokens = found === undefined ? tokens.length + 1 : encode(output.slice(0, found.end)).length;
  if (generatedTokens > maxTokens) {
    const written = tokens.slice(0, maxTokens);
    return { tokens: written, text: decode(written), stop: "length", generatedTokens: maxTokens };
  }
  if (found === undefined) return { tokens, text: output, stop: "end", generatedTokens };
  const text = output.slice(0, found.start);
  return { tokens: encode(text), text, stop: "stop", generatedTokens };
}
