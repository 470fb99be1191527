/**
 * What the loop asks of a model: sample, train one step, save, restore. The same contract holds for a model in this process and for
 * a remote service, so every method that may wait is asynchronous and everything that crosses it is tokens, text and paths.
 *
 * An engine knows token ids and text, and nothing of tasks, observations or answers. `test/engine/conformance.ts` runs this contract
 * against every implementation.
 */

/** Facts about a model that cost accounting (SPEC: Kaplan et al. 2020) and planning need. */
export interface ModelFacts {
  /** What to call it in reports, e.g. the folder's name. */
  readonly name: string;
  /** All parameters, embeddings included; a tied head is counted once. */
  readonly parameters: number;
  /** P of the cost formulas: all parameters but the input embedding and the vocabulary head. */
  readonly nonEmbeddingParameters: number;
  readonly layers: number;
  /** d_attn: query heads × head dimension. */
  readonly attentionWidth: number;
  /** The longest sequence the model takes, in tokens. */
  readonly contextLength: number;
  readonly vocabularySize: number;
}

/** A chat message, for checkpoints that carry a chat template. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** How a checkpoint writes conversations. */
export interface ChatTemplate {
  /**
   * The conversation as text, with all special tokens it begins with and holds written out; with `generate` it ends where the assistant's next
   * turn begins. Throws UserError for a conversation that the template refuses.
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
  /** Key of this request's random numbers, an integer in [0, 2^53). Two requests with the same key and prompt give the same sample. */
  readonly seed: number;
}

/** How to sample; the same for every request of a call. */
export interface SamplingParams {
  /** Token ids before every prompt, start tokens included; an engine may compute them once for the whole call. May be empty. */
  readonly prefix: readonly number[];
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
  /** Index of the request in the call. */
  readonly index: number;
  /** New tokens, without end-of-text and without anything from the stop text on. */
  readonly tokens: readonly number[];
  /** Their text. */
  readonly text: string;
  readonly stop: StopReason;
  /** Tokens the model really produced for this sample: the end-of-text token and those of a cut stop text included. */
  readonly generatedTokens: number;
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

/** One optimizer update. Adam after Kingma & Ba 2015; `adamw` decouples the decay (Loshchilov & Hutter 2019), `adam` adds it to the gradient. */
export interface OptimizerParams {
  readonly kind: "adam" | "adamw";
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

export interface SaveOptions {
  /** Also write what training needs to go on exactly where it stopped: the optimizer's moments and step count. */
  readonly optimizer?: boolean;
}

export interface Engine {
  readonly model: ModelFacts;
  readonly tokenizer: Tokenizer;
  /** Whether a call's shared prefix is really computed once (the cost report counts it once then). */
  readonly sharesPrefix: boolean;

  /**
   * Continues every request and yields samples as they finish, in any order, each request exactly once. A sample depends on its
   * own prefix, prompt, seed and the parameters only, never on what else is in the call (up to floating-point tolerance of the logits).
   * Throws UserError naming the request when prefix + prompt + maxTokens exceed the context length: prompts are never cut.
   */
  sample(requests: readonly SampleRequest[], params: SamplingParams): AsyncIterable<Sample>;

  /**
   * One optimizer update on the mean loss over all completion tokens of `examples`.
   * Throws UserError naming the example when it exceeds the context length, and on a loss that is not finite; the weights are unchanged then.
   */
  trainStep(examples: readonly TrainingExample[], params: OptimizerParams): Promise<TrainStepResult>;

  /** Fresh optimizer state: zero moments, step 0. */
  resetOptimizer(): Promise<void>;

  /** Back to the base model's weights, as opened; also resets the optimizer. */
  reset(): Promise<void>;

  /** Writes the present weights as a checkpoint folder at `path` (created; an existing checkpoint there is replaced file by file). */
  save(path: string, options?: SaveOptions): Promise<void>;

  /** Loads the weights that `save` wrote at `path`, bit for bit, and the optimizer state if it is there (else resets it). */
  restore(path: string): Promise<void>;

  /** A digest of the present weights; equal digests mean equal weights. */
  checksum(): Promise<string>;

  /**
   * A few log-probabilities of what may follow `prompt` (at least one token), computed by what `sample` uses. They follow from the weights alone, up
   * to rounding, so they tell whether sampling has the weights that it should have: `checksum` sees only those that are kept.
   */
  canary(prompt: readonly number[]): Promise<readonly number[]>;

  /** Frees memory; the engine cannot be used afterwards. */
  close(): Promise<void>;
}
