/**
 * Where each record of a log of samples lies, so that pages of it, and all samples of one observation, are read without
 * the rest. Follows a log that grows (sealed-tail.ts). Memory: 13 bytes a record; the records themselves are not kept.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { messageOf, UserError } from "../../errors.js";
import type { VerifiedSample } from "./records.js";
import { unsealedBytes } from "./sealed-log.js";
import { SealedTail } from "./sealed-tail.js";

/** What a sample may be looked for by; a record has any number of these. */
const MARKS = { correct: 1, disagreement: 2, failure: 4, "wrong step": 8, unfinished: 16 } as const;
export type Mark = keyof typeof MARKS;

export class LogIndex {
  readonly #tail: SealedTail;
  #count = 0;
  #starts = new Float64Array(256);
  #observations = new Uint32Array(256);
  #marks = new Uint8Array(256);
  #end = 0;

  constructor(path: string) {
    this.#tail = new SealedTail(path);
  }

  /** Records found so far. */
  get count(): number {
    return this.#count;
  }

  /** Follows the log by one chunk, at most. Returns whether there may be more. Throws UserError where it is damaged. */
  advance(): boolean {
    const { restarted, lines, more } = this.#tail.read();
    if (restarted) this.#count = 0;
    for (const { record, start, end } of lines) this.#add(record, start, end);
    return more;
  }

  /** Indices of the records of an observation, or with a mark, or both; in the log's order. */
  *find({ observation, mark }: { readonly observation?: number; readonly mark?: Mark }): Generator<number> {
    for (let i = 0; i < this.#count; i++) {
      if (observation !== undefined && this.#observations[i] !== observation) continue;
      if (mark !== undefined && (this.#marks[i] & MARKS[mark]) === 0) continue;
      yield i;
    }
  }

  /** Reads records again, given by their indices. Those that are no longer there are left out. */
  read(indices: Iterable<number>): { readonly record: object; readonly index: number }[] {
    const found: { record: object; index: number }[] = [];
    let file: number;
    try {
      file = openSync(this.#tail.path, "r");
    } catch (error) {
      throw new UserError(`cannot read ${this.#tail.path}: ${messageOf(error)}`);
    }
    try {
      for (const index of indices) {
        if (index < 0 || index >= this.#count) continue;
        const start = this.#starts[index];
        const end = index + 1 < this.#count ? this.#starts[index + 1] : this.#end;
        const bytes = Buffer.alloc(end - start - 1);
        const length = readSync(file, bytes, 0, bytes.length, start);
        const record = unsealedBytes(bytes.subarray(0, length));
        if (record !== null) found.push({ record, index });
      }
    } finally {
      closeSync(file);
    }
    return found;
  }

  #add(sample: Partial<VerifiedSample>, start: number, end: number): void {
    if (this.#count === this.#starts.length) this.#grow();
    const { observation = 0, correct, stop, strict, lenient, failure, wrongStep } = sample;
    const marks =
      (correct === true ? MARKS.correct : 0) |
      (stop !== "length" && strict !== lenient ? MARKS.disagreement : 0) |
      (failure === undefined ? 0 : MARKS.failure) |
      (typeof wrongStep === "number" ? MARKS["wrong step"] : 0) |
      (stop === "length" ? MARKS.unfinished : 0);
    this.#starts[this.#count] = start;
    this.#observations[this.#count] = observation;
    this.#marks[this.#count] = marks;
    this.#count++;
    this.#end = end;
  }

  #grow(): void {
    const size = 2 * this.#count;
    const starts = new Float64Array(size);
    const observations = new Uint32Array(size);
    const marks = new Uint8Array(size);
    starts.set(this.#starts);
    observations.set(this.#observations);
    marks.set(this.#marks);
    this.#starts = starts;
    this.#observations = observations;
    this.#marks = marks;
  }
}
