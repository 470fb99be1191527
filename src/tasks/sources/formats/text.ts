/** Text files, a piece at a time. */

import { createReadStream } from "node:fs";
import { messageOf, shown, UserError } from "../../../errors.js";

/** How errors name a row. */
export function rowName(path: string, number: number): string {
  return `${path}, row ${number}`;
}

/**
 * The file's text in pieces of some 64 KiB, without a byte order mark. Throws UserError when it cannot be read or is
 * not UTF-8.
 * @param content its bytes, where they come from elsewhere; `path` then only names them
 */
export async function* textOf(path: string, content?: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of content ?? createReadStream(path))
      yield decoder.decode(chunk as Uint8Array, { stream: true });
    yield decoder.decode();
  } catch (error) {
    throw new UserError(`expected a readable UTF-8 file, got ${shown(path)}: ${messageOf(error)}`);
  }
}
