/**
 * Computes prompts, and remembers them: an observation that is tried again has the same prompt, whose keys, values and
 * logits need not be computed a second time. What is computed for a prompt depends on the prompt alone, bit for bit,
 * and never on the others in the same run, so remembering changes no sample. For this, prompts of one length go
 * together, without padding, and no matrix has a single row, because the runtime multiplies those in another order.
 */

import type { Decoder, Prefix } from "./decoder.js";
import { DeviceArray } from "./device.js";
import type { RowSummary } from "./row-summary.js";

export interface ReadPrompt {
  /** Positions, at least 1. */
  readonly length: number;
  /** [V], after the last position. */
  readonly logits: Float32Array;
  /** At the temperature of the call that computed the prompt; null where the vocabulary is small. */
  readonly summary: RowSummary | null;
  /** [layers] of [K, 1, length, E] */
  readonly keys: readonly DeviceArray[];
  readonly values: readonly DeviceArray[];
}

/** A prompt's key and tokens. */
type Named = readonly [key: string, prompt: readonly number[]];

/** Prompt positions in one run of the graph, at most. */
const RUN_TOKENS = 2048;

export class PromptReader {
  readonly #decoder: Decoder;
  readonly #prefix: Prefix;
  readonly #capacityBytes: number;
  /** By tokens, least recently used first. */
  readonly #remembered = new Map<string, ReadPrompt>();
  #bytes = 0;

  constructor(decoder: Decoder, prefix: Prefix, capacityBytes: number) {
    this.#decoder = decoder;
    this.#prefix = prefix;
    this.#capacityBytes = capacityBytes;
  }

  get prefix(): Prefix {
    return this.#prefix;
  }

  /** One result for each prompt (not empty), in their order. */
  async read(prompts: readonly (readonly number[])[], temperature = 1): Promise<ReadPrompt[]> {
    const keys = prompts.map((prompt) => prompt.join(" "));
    const found = new Map<string, ReadPrompt>();
    const missing = new Map<string, readonly number[]>();
    for (const [i, key] of keys.entries()) {
      const known = this.#remembered.get(key);
      if (known === undefined) missing.set(key, prompts[i]);
      else found.set(key, known);
    }
    for (const run of runsOf([...missing])) {
      const results = await this.#compute(
        run.map(([, prompt]) => prompt),
        temperature,
      );
      for (const [i, [key]] of run.entries()) found.set(key, results[i]);
    }
    for (const [key, prompt] of found) this.#remember(key, prompt);
    return keys.map((key) => found.get(key) as ReadPrompt);
  }

  /** Runs prompts of one length through the graph. */
  async #compute(prompts: readonly (readonly number[])[], temperature: number): Promise<ReadPrompt[]> {
    const { config } = this.#decoder;
    const { length } = prompts[0];
    const sequences = prompts.length * length === 1 ? [...prompts, ...prompts] : prompts;
    const starts = sequences.map(() => this.#prefix.length);
    const before = this.#decoder.newCache(sequences.length, 1);
    const result = await this.#decoder.run({ sequences, starts }, this.#prefix, before, temperature);
    const { keyValueHeads, headDim, vocabularySize } = config;
    const size = length * headDim;
    /** Sequence `b` of an array [K, B, length, E]. */
    const own = ({ host }: DeviceArray, b: number) => {
      const part = new Float32Array(keyValueHeads * size);
      for (let head = 0; head < keyValueHeads; head++) {
        const from = (head * sequences.length + b) * size;
        part.set(host.subarray(from, from + size), head * size);
      }
      return new DeviceArray([keyValueHeads, 1, length, headDim], part);
    };
    const logits = await result.logits.read();
    return prompts.map((_, b) => ({
      length,
      logits: logits.slice(b * vocabularySize, (b + 1) * vocabularySize),
      summary: result.summary?.(b) ?? null,
      keys: result.keys.map((layer) => own(layer, b)),
      values: result.values.map((layer) => own(layer, b)),
    }));
  }

  #remember(key: string, prompt: ReadPrompt): void {
    this.#bytes -= bytesOf(this.#remembered.get(key));
    this.#remembered.delete(key); // to the end of the order of use
    this.#remembered.set(key, prompt);
    this.#bytes += bytesOf(prompt);
    for (const [oldest, value] of this.#remembered) {
      if (this.#bytes <= this.#capacityBytes) break;
      this.#remembered.delete(oldest);
      this.#bytes -= bytesOf(value);
    }
  }
}

/** Prompts of equal length together, as many as one run takes. */
function runsOf(prompts: readonly Named[]): Named[][] {
  const runs: Named[][] = [];
  for (const named of prompts.toSorted(([, a], [, b]) => a.length - b.length)) {
    const run = runs.at(-1);
    const length = named[1].length;
    const fits = run?.[0]?.[1].length === length && (run.length + 1) * length <= RUN_TOKENS;
    if (run !== undefined && fits) run.push(named);
    else runs.push([named]);
  }
  return runs;
}

function bytesOf(prompt: ReadPrompt | undefined): number {
  if (prompt === undefined) return 0;
  const layers = prompt.keys.length + prompt.values.length;
  return prompt.logits.byteLength + layers * prompt.keys[0].host.byteLength;
}
