/** A task: observations, how they are put to a model, and how an output is verified. */

/** One (x, y) pair of the paper: a question with its final answer and no chain of thought. */
export interface Observation {
  /** Unique within its split; from the data where it has ids, else the row's number. */
  readonly id: string;
  /** The question as the prompt shows it, options not included. */
  readonly question: string;
  /** The gold answer in canonical form: a number, an option's label, `yes`/`no`, or text. */
  readonly answer: string;
  /** Answer options in order, for multiple choice. */
  readonly options?: readonly AnswerOption[];
  /** Difficulty level, where the task knows one (0 is easiest). For reports only. */
  readonly difficulty?: number;
}

export interface AnswerOption {
  /** As it stands in the prompt: `A`, `B`, … */
  readonly label: string;
  readonly text: string;
}

/** A worked example, put before the question while sampling. */
export interface Exemplar {
  readonly question: string;
  readonly options?: readonly AnswerOption[];
  readonly rationale: string;
  readonly answer: string;
}

/** correct: states the gold answer. wrong: states another. none: states no answer, or several different ones. */
export type Correctness = "correct" | "wrong" | "none";

export interface Verdict {
  /** By the format that was asked for. */
  readonly strict: Correctness;
  /** By last-resort extraction where the format was not kept; equals `strict` where it was. */
  readonly lenient: Correctness;
  /** The answer that was found, in canonical form; null when none was. */
  readonly extracted: string | null;
  /** Why a custom verifier gave no verdict (it threw, or took too long). The output then counts as wrong. */
  readonly failure?: string;
}

/** Names of the tags around thinking and around the answer, such as `think` for `<think>…</think>`. */
export interface AnswerTags {
  readonly thinking: readonly string[];
  readonly answer: readonly string[];
}

/**
 * Gives a verdict on what a model wrote after the prompt. Total: it never throws on any output. The task's own
 * verifiers are pure as well.
 */
export interface Verifier {
  verify(output: string, observation: Pick<Observation, "answer" | "options">): Verdict;
  /**
   * The gold answer in canonical form; throws UserError when it is not one this verifier can check (say `abc` for a
   * number).
   */
  canonical(answer: string, options?: readonly AnswerOption[]): string;
  /** The same verifier for outputs with other tags; only those that read tags have it. */
  withTags?(tags: AnswerTags): Verifier;
  /** Set if the verdicts come from a custom module, which may ask for more than a stated answer. */
  readonly module?: VerifierModule;
}

/** The user's code that a custom verifier calls. */
export interface VerifierModule {
  /** Digest of its content: a run can be resumed only with the same one. */
  readonly fingerprint: string;
  /** Frees what it runs in; the verifier cannot be used afterwards. */
  close(): Promise<void>;
}

/** How questions, hints and completions are written. All strings are exact; tokens follow from them. */
export interface PromptFormat {
  /** The zero-shot prompt; the completion follows it directly. */
  prompt(observation: Pick<Observation, "question" | "options">): string;
  /** The same with the gold answer as a hint, for rationalization (STaR, section 3.2). */
  hintedPrompt(observation: Pick<Observation, "question" | "options" | "answer">): string;
  /** What a model should write after the prompt. */
  completion(rationale: string, answer: string): string;
  /**
   * The question as a user puts it to a chat model, with the gold answer as a hint where `hinted`; the prompts above
   * when left out.
   */
  message?(observation: Pick<Observation, "question" | "options" | "answer">, hinted: boolean): string;
  /** Written after each worked example, before the next question. */
  readonly separator: string;
  /** Texts that end a generation, besides the end-of-text token. */
  readonly stop: readonly string[];
}

/** What checking every step of a rationale found; only tasks whose rationales a program can read have it. */
export interface RationaleCheck {
  readonly steps: number;
  /** Index of the first wrong step; null when all are right. */
  readonly firstWrong: number | null;
}

/**
 * Settings that suit a task and its usual model; presets, files and flags override them. Names and types are those of
 * the run configuration, which holds them against its own.
 */
export interface TaskDefaults {
  readonly iterations?: number;
  readonly batchSize?: number;
  readonly steps?: number;
  readonly stepsGrowth?: number;
  readonly learningRate?: number;
  readonly learningRateSchedule?: "constant" | "linear" | "cosine";
  readonly optimizer?: "adam" | "adamw";
  readonly maxGradientNorm?: number | null;
  readonly temperature?: number;
  readonly topP?: number;
}

/** Where the observations of a task were read. */
export interface TaskSource {
  /** Paths of each split's files, in order. */
  readonly files: Readonly<Record<"train" | "test", readonly string[]>>;
  /**
   * The settings that open the same task again: the revision of a hub data set is the commit that was found, and the
   * verifier is the one that was chosen by the gold answers.
   */
  readonly pinned: { readonly data: string; readonly eval?: string; readonly verifier?: string };
  /** Names the row of an observation: `train.jsonl, row 12`. */
  where(split: "train" | "test", index: number): string;
}

export interface Task {
  readonly name: string;
  /** One line for `adastar tasks`. */
  readonly description: string;
  readonly train: readonly Observation[];
  readonly test: readonly Observation[];
  readonly format: PromptFormat;
  /** Few-shot exemplars for sampling; may be empty. */
  readonly exemplars: readonly Exemplar[];
  readonly verifier: Verifier;
  /** What was decided while it was opened and not asked for; shown when a run begins. */
  readonly notices?: readonly string[];
  /** Set for tasks that are read from files. */
  readonly source?: TaskSource;
  /** The longest generation, in tokens. */
  readonly maxTokens: number;
  /** Whether rationalization is on by default: off for mathematical tasks, where it hurts. */
  readonly rationalize: boolean;
  checkRationale?(output: string, observation: Observation): RationaleCheck;
}
