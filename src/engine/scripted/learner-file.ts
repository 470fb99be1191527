/**
 * The simulated learner on disk: one file in the checkpoint's folder, replaced as a whole.
 *
 * | offset | what |
 * |---|---|
 * | 0 | `ADASCRIP` |
 * | 8 | SHA-256 of the lessons it was trained on |
 * | 40 | SHA-256 of everything from 72 on |
 * | 72 | weights, and the optimizer's state if it was saved: f64, little-endian |
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UserError } from "../../errors.js";
import { replaceFile, writeFully } from "../files.js";
import type { Lesson } from "./lesson.js";

const FILE = "learner.bin";
const MAGIC = Buffer.from("ADASCRIP");
const STATE_AT = MAGIC.length + 64;

/** Digest of the lessons. A checkpoint fits only an engine with the same lessons. */
export function digestOf(lessons: readonly Lesson[]): Buffer {
  const hash = createHash("sha256");
  for (const { prompt, hintedPrompt, completion, alsoRight, wrong, group, difficulty } of lessons) {
    hash.update(`${JSON.stringify([prompt, hintedPrompt, completion, alsoRight, wrong, group, difficulty])}\n`);
  }
  return hash.digest();
}

export async function writeCheckpoint(folder: string, lessons: Buffer, state: Float64Array): Promise<void> {
  const body = Buffer.alloc(state.byteLength);
  for (const [i, value] of state.entries()) body.writeDoubleLE(value, 8 * i);
  const content = Buffer.concat([MAGIC, lessons, createHash("sha256").update(body).digest(), body]);
  await replaceFile(join(folder, FILE), (file) => writeFully(file, content));
}

/** Reads the state in `folder`, for an engine with these lessons and `parameters` weights. */
export async function readCheckpoint(folder: string, lessons: Buffer, parameters: number): Promise<Float64Array> {
  const path = join(folder, FILE);
  const content = await readFile(path).catch((error: unknown) => {
    throw new UserError(`expected a checkpoint of the scripted engine at ${folder}, got ${messageOf(error)}`);
  });
  const body = content.subarray(STATE_AT);
  const whole =
    content.length >= STATE_AT &&
    content.subarray(0, MAGIC.length).equals(MAGIC) &&
    content.subarray(STATE_AT - 32, STATE_AT).equals(createHash("sha256").update(body).digest());
  if (!whole) {
    throw new UserError(
      `expected a whole checkpoint of the scripted engine, got ${content.length} bytes that are not one: ${path} is damaged; go back to an earlier checkpoint`,
    );
  }
  const count = body.length / 8;
  if (
    !content.subarray(MAGIC.length, STATE_AT - 32).equals(lessons) ||
    (count !== parameters && count !== 3 * parameters + 1)
  ) {
    throw new UserError(
      `expected a checkpoint of the lessons that this engine was opened with, got one of other lessons: ${path}; open the engine with those lessons`,
    );
  }
  return Float64Array.from({ length: count }, (_, i) => body.readDoubleLE(8 * i));
}
