/**
 * The part of the Tinker REST API that the engine uses, as plain JSON under `/api/v1/`. Answers are checked when they
 * arrive; fields that are not named here are ignored.
 *
 * Most calls answer with a `request_id` at once. `retrieve_future` then waits for the result.
 */

import { z } from "zod";

const token = z.int().nonnegative();

export const healthAnswer = z.object({ status: z.string() });
export const serverAnswer = z.object({ supported_models: z.array(z.object({ model_name: z.string() })) });
export const sessionAnswer = z.object({ session_id: z.string() });
export const acceptedAnswer = z.object({ request_id: z.string() });
export const modelAnswer = acceptedAnswer.extend({ model_id: z.string() });
export const anyAnswer = z.record(z.string(), z.unknown());

/** The server asks to be asked again. */
export const waitingAnswer = z.object({ type: z.literal("try_again") });
/** The operation failed, though the request for its result did not. */
export const failedAnswer = z.object({ error: z.string() });

export const savedResult = z.object({ path: z.string() });

export const sampledResult = z.object({
  sequences: z
    .array(
      z.object({
        /** New tokens; the one that ended the sequence may or may not be among them. */
        tokens: z.array(token),
        /** Of each token, at temperature 1. */
        logprobs: z.array(z.number()).nullish(),
        stop_reason: z.string(),
      }),
    )
    .min(1),
  /** Of each token of the prompt; SkyRL leaves the first token out, others give null for it. */
  prompt_logprobs: z.array(z.number().nullable()).nullish(),
});

export const passResult = z.object({
  /** For each sequence, the log-probabilities of its target tokens. */
  loss_fn_outputs: z.array(z.object({ logprobs: z.object({ data: z.array(z.number()) }) })),
});

export const updateResult = z.object({ metrics: z.record(z.string(), z.number()).nullish() });

interface ModelInput {
  readonly chunks: readonly { readonly type: "encoded_text"; readonly tokens: readonly number[] }[];
}

/** A sequence to train on: the target of each input token, and its weight in the loss. */
export interface Datum {
  readonly model_input: ModelInput;
  readonly loss_fn_inputs: {
    readonly target_tokens: { readonly data: readonly number[] };
    readonly weights: { readonly data: readonly number[] };
  };
}

export interface AdamParams {
  readonly learning_rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weight_decay: number;
}

export interface SamplingRequest {
  readonly prompt: ModelInput;
  readonly num_samples: 1;
  readonly prompt_logprobs: boolean;
  readonly sampling_params: {
    readonly max_tokens: number;
    readonly temperature: number;
    readonly top_p: number;
    /** In [0, 2^31). */
    readonly seed: number;
    /** Ids of tokens that end a sequence. */
    readonly stop: readonly number[];
  };
}

export function modelInput(tokens: readonly number[]): ModelInput {
  return { chunks: [{ type: "encoded_text", tokens }] };
}
