/**
 * An engine is never asked twice for the same answers: a tape records them wave by wave, and plays them back when the
 * same waves are asked for after a kill.
 */

import { UserError } from "../../errors.js";
import type { SealedLog } from "./sealed-log.js";

export interface TapeRecord {
  /** Number of the wave, from 0. */
  readonly wave: number;
}

export class Tape<T extends TapeRecord> {
  readonly #log: SealedLog<T>;
  /** Records already handed out. */
  #position = 0;
  #wave = 0;

  constructor(log: SealedLog<T>) {
    this.#log = log;
  }

  /** Records handed out so far, in order. */
  get played(): readonly T[] {
    return this.#log.records.slice(0, this.#position);
  }

  /** Whether the next wave, of `count` requests, would be played back rather than asked for. */
  holds(count: number): boolean {
    return this.#position + count <= this.#log.records.length;
  }

  /**
   * The answers to the next wave: from the tape when all of it is recorded, else from `ask`, durable before this
   * resolves. A wave that is recorded in part is asked for again as a whole, because what an engine answers may depend,
   * within its tolerance, on what it is asked along with it.
   * @param matches whether a record answers the i-th request of the wave
   */
  async next(
    count: number,
    matches: (record: T, i: number) => boolean,
    ask: (wave: number) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const wave = this.#wave++;
    if (!this.holds(count)) {
      this.#log.truncate(this.#position);
      this.#log.append(await ask(wave));
    }
    const answers = this.#log.records.slice(this.#position, this.#position + count);
    for (const [i, answer] of answers.entries()) {
      if (answer.wave === wave && matches(answer, i)) continue;
      throw new UserError(
        `${this.#log.path}: line ${this.#position + i + 1} does not belong to this run: it answers another request than the run makes at this point. ` +
          "Restore the file from a copy, or delete it to have this iteration's samples drawn again.",
      );
    }
    this.#position += count;
    return answers;
  }
}

/** Draws of an iteration that was trained on cannot be had again: the engine holds other weights by then. */
export function lostDraws(path: string): UserError {
  return new UserError(
    `${path} is not what the run wrote: expected every sample of an iteration that was trained on, got fewer. ` +
      "Restore the file from a copy, or start the run again in a new directory.",
  );
}
