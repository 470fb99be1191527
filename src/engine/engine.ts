/**
 * The engine's contract: sample, train, save, restore. The same contract holds for a model in this process and for a
 * remote service, so every method that may wait is asynchronous, and only tokens, text and references cross it.
 *
 * An engine knows token ids and text. It knows nothing of tasks, observations or answers. `test/engine/conformance.ts`
 * runs this contract against every engine; `registry.ts` lists the engines.
 */

import { UserError } from "../errors.js";

/** Facts about a model that cost accounting (Kaplan et al. 2020, section 2.1) and planning need. */
export interface ModelFacts {
  /** Its name in reports, e.g. the folder's name. */
  readonly name: string;
  /** All parameters, embeddings included; a tied head is counted once. */
  readonly parameters: number;
  /** P of the cost formulas: all parameters but the input embedding and the vocabulary head; adapters are included. */
  readonly nonEmbeddingParameters: number;
  /** Parameters that training changes: all of them, or only those of an adapter (LoRA). */
  readonly trainableParameters: number;
  readonly layers: number;
  /** d_attn: query heads × head dimension. */
  readonly attentionWidth: number;
  /** The longest sequence the model takes, in tokens. */
  readonly contextLength: number;
  readonly vocabularySize: number;
}

/** In what engines differ. The loop reads these fields and never an engine's name. */
export interface Capabilities {
  /**
   * Restored weights are the saved ones bit for bit, and the same calls from there give the same samples and the same
   * weights again. Without it, repeated work gives like results only, so a damaged model cannot be made again and
   * proven to be the same.
   */
  readonly exactRestore: boolean;
  /** Largest difference of the canary's log-probabilities between two sessions with the same weights. */
  readonly canaryTolerance: number;
  /** Where `save` puts a checkpoint: into the folder that it is given, or on a server, under a URI. */
  readonly checkpoints: "folder" | "uri";
  /** Whether the prefix of a `sample` call is computed once for all its requests; costs count it once then. */
  readonly sharesPrefix: boolean;
  /**
   * Most requests of a `sample` call that it works on at once. It takes no more than these from a stream of requests.
   */
  readonly maxInFlight: number;
  /**
   * Optimizer steps worth submitting before the first one's result is there; 1 where a step keeps the engine busy by
   * itself.
   */
  readonly stepsInFlight: number;
  /** Whether outputs are made up by a simulation; their reasoning steps mean nothing then. */
  readonly simulated: boolean;
}

/** A chat message, for checkpoints that carry a chat template. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** How a checkpoint writes conversations. */
export interface ChatTemplate {
  /**
   * The conversation as text, with all special tokens it begins with and holds written out; with `generate` it ends
   * where the assistant's next turn begins. Throws UserError for a conversation that the template refuses.
   */
  render(messages: readonly ChatMessage[], generate: boolean): string;
}

/** The checkpoint's own tokenizer. */
export interface Tokenizer {
  /** Token ids of `text`, without any special token that the tokenizer would add at the start or end. */
  encode(text: string): number[];
  /** Text of `tokens`; special tokens are left out. */
  decode(tokens: readonly number[]): string;
  /** What this checkpoint puts at the start of every sequence (often one begin-of-text token, often nothing). */
  readonly startTokens: readonly number[];
  /** Ids that end a generation. The first is the one training puts at the end of an example. Never empty. */
  readonly endTokens: readonly number[];
  /** Absent where the checkpoint has no chat template. */
  readonly chat?: ChatTemplate;
}

/** One sequence to continue. */
export interface SampleRequest {
  /** Named in errors, e.g. `train[12] (chal-480), try 2`. */
  readonly name: string;
  /** Token ids that follow the shared prefix. Together they are the whole prompt; at least one token in all. */
  readonly prompt: readonly number[];
  /**
   * Key of this request's random numbers, an integer in [0, 2^53). Two requests with the same key and prompt give the
   * same sample.
   */
  readonly seed: number;
}

/** How to sample; the same for every request of a call. */
export interface SamplingParams {
  /**
   * Token ids before every prompt, start tokens included; an engine may compute them once for the whole call. May be
   * empty.
   */
  readonly prefix: readonly number[];
  /**
   * Length of the longest prompt, if the caller knows it. For a stream of requests, an engine may plan its memory by
   * this.
   */
  readonly longestPrompt?: number;
  /** 0 is greedy (arg max, lowest id among equals). */
  readonly temperature: number;
  /** Nucleus: sample among the most likely tokens whose mass reaches this, in (0, 1]. */
  readonly topP: number;
  /** At most this many new tokens. */
  readonly maxTokens: number;
  /** A generation ends before the first of these texts to appear in it. */
  readonly stop: readonly string[];
}

/** Why a generation ended: end-of-text token, stop text, or the token limit (unfinished). */
export type StopReason = "end" | "stop" | "length";

/** One finished generation. */
export interface Sample {
  /** Position of the request in the call, from 0, in the order in which requests were given. */
  readonly index: number;
  /** New tokens, without end-of-text and without anything from the stop text on. */
  readonly tokens: readonly number[];
  /** Their text. */
  readonly text: string;
  readonly stop: StopReason;
  /** Tokens the model really produced for this sample: the end-of-text token and those of a cut stop text included. */
  readonly generatedTokens: number;
  /** Log-probability of each of `tokens` at temperature 1, in nats; left out where the engine does not give them. */
  readonly logProbabilities?: readonly number[];
}

/**
 * Requests of a `sample` call: all at once, or a stream that is asked for the next one when the engine has room for it.
 */
export type SampleRequests = Iterable<SampleRequest> | AsyncIterable<SampleRequest>;

export interface CallOptions {
  /** Aborting it ends the call early; the call then throws the signal's reason. The engine can be used afterwards. */
  readonly signal?: AbortSignal | undefined;
}

export interface StepOptions extends CallOptions {
  /**
   * Key of the step's own random numbers (dropout), an integer in [0, 2^53). The same key, examples and weights give
   * the same update. 0 when left out.
   */
  readonly seed?: number;
}

/** One sequence to train on: the loss covers `tokens[completionStart..]`, everything before it is context. */
export interface TrainingExample {
  /** Named in errors. */
  readonly name: string;
  /** The whole sequence, start tokens, prompt, completion and end-of-text. */
  readonly tokens: readonly number[];
  /** Index of the first token that the loss covers, in [1, tokens.length). */
  readonly completionStart: number;
}

/** Names of the optimizers; what each computes is in a record of the engine. */
export const OPTIMIZER_KINDS = ["adam", "adamw"] as const;

/**
 * One optimizer update. Adam after Kingma & Ba 2015; `adamw` decouples the decay (Loshchilov & Hutter 2019), `adam`
 * adds it to the gradient.
 */
export interface OptimizerParams {
  readonly kind: (typeof OPTIMIZER_KINDS)[number];
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this global L2 norm; no clipping when left out. */
  readonly maxGradientNorm?: number;
}

export interface TrainStepResult {
  /** Mean negative log-likelihood over the completion tokens of the batch, in nats, before the update. */
  readonly loss: number;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Tokens of the examples, padding not counted. */
  readonly tokens: number;
  /** Of these, tokens that the loss covers. */
  readonly completionTokens: number;
}

/** Where a checkpoint is: a folder (absolute path), or a URI that only its engine can open. */
export type CheckpointPlace = { readonly folder: string } | { readonly uri: string };

/** A saved checkpoint. The loop hands references back to the engine and never opens them. */
export type CheckpointRef = CheckpointPlace & {
  /** The engine's digest of the weights when they were saved (`Engine.checksum`). */
  readonly weights: string;
};

/** The folder of a checkpoint, for engines that keep theirs in folders. Throws UserError for a URI. */
export function folderOf(checkpoint: CheckpointPlace): string {
  if ("folder" in checkpoint) return checkpoint.folder;
  throw new UserError(
    `expected the folder of a checkpoint, got ${checkpoint.uri}, which is on a server; resume with the engine that made it`,
  );
}

export interface SaveTarget {
  /** Absolute path of the folder to write into. An engine that keeps its checkpoints elsewhere does not touch it. */
  readonly folder: string;
  /**
   * The checkpoint's name within the run, of letters, digits and hyphens. Saving under a name again replaces its
   * checkpoint.
   */
  readonly name: string;
}

export interface SaveOptions {
  /** Also write what training needs to continue exactly: the optimizer's moments and step count. */
  readonly optimizer?: boolean;
}

export interface Engine {
  readonly model: ModelFacts;
  readonly tokenizer: Tokenizer;
  readonly capabilities: Capabilities;

  /**
   * Continues every request and yields samples as they finish, in any order, each request exactly once. A sample
   * depends on its own prefix, prompt, seed and the parameters only, never on what else is in the call (up to
   * floating-point tolerance of the logits).
   *
   * A stream of requests is asked for its next request when there is room for one, at most `maxInFlight` at once; while
   * it has none to give, sampling goes on with those at hand. The call ends when the stream has ended and all its
   * requests are answered. No other method may be called in between.
   *
   * Throws UserError naming the request when prefix + prompt + maxTokens exceed the context length: prompts are never
   * cut. Once `signal` is aborted, it throws the signal's reason without finishing the requests at hand.
   */
  sample(requests: SampleRequests, params: SamplingParams, options?: CallOptions): AsyncIterable<Sample>;

  /**
   * One optimizer update on the mean loss over all completion tokens of `examples`.
   *
   * It may be called again before earlier updates are done. Updates are made in the order of the calls, and the
   * promises settle in that order. When one fails, those submitted after it fail with the same error; where weights are
   * in this process they are not made. All other methods wait for the updates that were submitted before them.
   *
   * Throws UserError naming the example when it exceeds the context length, and on a loss that is not finite; the
   * weights are unchanged then. Once `signal` is aborted, an update that has not begun is not made and throws the
   * signal's reason; one that has begun is finished.
   */
  trainStep(
    examples: readonly TrainingExample[],
    params: OptimizerParams,
    options?: StepOptions,
  ): Promise<TrainStepResult>;

  /** Fresh optimizer state: zero moments, step 0. */
  resetOptimizer(): Promise<void>;

  /** Back to the base model's weights, as opened; also resets the optimizer. */
  reset(): Promise<void>;

  /** Saves the present weights in a form that survives this process, and returns where they are. */
  save(target: SaveTarget, options?: SaveOptions): Promise<CheckpointRef>;

  /**
   * Loads the weights that `save` saved, and the optimizer state if it is there (else resets it). With `exactRestore`
   * the weights come back bit for bit. Afterwards `checksum` gives the reference's digest, if the weights are those.
   * Throws UserError when there is no such checkpoint or it does not fit; the present weights stay then.
   */
  restore(checkpoint: CheckpointRef): Promise<void>;

  /**
   * A digest of the present weights. Equal digests mean equal weights: of their content where they are in this process;
   * elsewhere of what made them (base model, updates), as far as the server can be believed. The canary checks that.
   */
  checksum(): Promise<string>;

  /**
   * A few log-probabilities of what may follow `prompt` (at least one token), computed by what `sample` uses. They
   * depend on the weights alone, up to `canaryTolerance`. So they show whether sampling uses the weights that it should
   * use: `checksum` covers only those that are kept.
   */
  canary(prompt: readonly number[]): Promise<readonly number[]>;

  /** Frees memory; the engine cannot be used afterwards. */
  close(): Promise<void>;
}
