/**
 * One file of the hub, written to disk: resumed where an earlier attempt ended, checked by size and digest, then
 * renamed to its place.
 */

import { createHash, type Hash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { messageOf, UserError } from "../errors.js";

/** A file of a repository at one commit. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of large files, else git's own digest of them. */
  readonly digest: { readonly kind: "sha256" | "git"; readonly value: string };
}

/** The hub did not answer, or stopped answering. A copy in the cache may be used then. */
export class HubUnreachable extends Error {
  override readonly name = "HubUnreachable";
}

/** The file's content from `offset` on. Throws HubUnreachable when it breaks off. */
type ContentFrom = (offset: number) => AsyncIterable<Uint8Array>;

/**
 * A connection may break this often within one download and be taken up again, as long as each attempt brings bytes.
 */
const MAX_RESUMPTIONS = 20;
/** A partial file of another computer that was not written to for so long belongs to nobody. */
const ABANDONED_MS = 60 * 60 * 1000;

/**
 * Puts the file at `target`, whole and with the digest that the hub states, or not at all. What has arrived when the
 * connection breaks stays beside it as `….incomplete`, and the next download of the same file continues from there.
 * Throws UserError for content that is not what the hub promised, HubUnreachable when the connection breaks for good.
 */
export async function downloadTo(
  target: string,
  file: HubFile,
  contentFrom: ContentFrom,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const partial = await claimPartial(target);
  inProgress.add(partial);
  try {
    await fill(partial, file, contentFrom, onReceived);
    await rename(partial, target);
  } finally {
    inProgress.delete(partial);
  }
}

async function fill(
  partial: string,
  file: HubFile,
  contentFrom: ContentFrom,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const resumed = await writeRest(partial, file, contentFrom, onReceived);
  let found = await digestOf(partial, file);
  if (resumed && !isWhole(found, file)) {
    // What was resumed may be damaged, or the server may not know ranges: once more, from the start.
    await rm(partial, { force: true });
    await writeRest(partial, file, contentFrom, onReceived);
    found = await digestOf(partial, file);
  }
  if (isWhole(found, file)) return;
  await rm(partial, { force: true });
  const { path, size, digest } = file;
  throw new UserError(
    `expected ${path} with ${size} bytes and ${digest.kind} digest ${digest.value} from the hub, got ${found.bytes} bytes with ${found.value}: it was damaged on the way; try again`,
  );
}

/** Whether it continued from bytes that were there before, or after a break. */
async function writeRest(
  partial: string,
  { size }: HubFile,
  contentFrom: ContentFrom,
  onReceived: (bytes: number) => void,
): Promise<boolean> {
  const output = await open(partial, "a");
  try {
    let received = (await output.stat()).size;
    let resumed = received > 0;
    onReceived(received);
    for (let resumptions = 0; received < size || size === 0; resumptions++) {
      const before = received;
      try {
        for await (const chunk of contentFrom(received)) {
          await output.writeFile(chunk);
          received += chunk.length;
          onReceived(received);
        }
        break;
      } catch (error) {
        if (!(error instanceof HubUnreachable) || received === before || resumptions === MAX_RESUMPTIONS) throw error;
        resumed = true;
      }
    }
    await output.sync();
    return resumed;
  } finally {
    await output.close();
  }
}

interface Digest {
  readonly bytes: number;
  readonly value: string;
}

/** From the disk, so that bytes of an earlier attempt are checked as well. */
async function digestOf(path: string, { size, digest }: HubFile): Promise<Digest> {
  const hash: Hash = createHash(digest.kind === "git" ? "sha1" : "sha256");
  // git's digest covers a header and the content.
  if (digest.kind === "git") hash.update(`blob ${size}\0`);
  let bytes = 0;
  const file = await open(path, "r");
  try {
    for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  } finally {
    await file.close();
  }
  return { bytes, value: hash.digest("hex") };
}

function isWhole({ bytes, value }: Digest, { size, digest }: HubFile): boolean {
  return bytes === size && value === digest.value;
}

/** The end of a partial file's name says who writes it, so that no two downloads write the same one. */
const PARTIAL = /^\.(.+)\.(\d+)\.[0-9a-f]{8}\.incomplete$/;

/** Partial files that this process is writing. */
const inProgress = new Set<string>();

/** A partial file for this download: what an attempt that has ended left beside `target`, else a name for a new one. */
async function claimPartial(target: string): Promise<string> {
  const folder = dirname(target);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new UserError(`expected a cache folder that can be written (HF_HOME), got: ${messageOf(error)}`);
  });
  const own = `${target}.${hostname()}.${process.pid}.${randomBytes(4).toString("hex")}.incomplete`;
  for (const name of await readdir(folder)) {
    const [, host = "", pid = ""] = name.startsWith(`${basename(target)}.`)
      ? (PARTIAL.exec(name.slice(basename(target).length)) ?? [])
      : [];
    if (pid === "" || !(await isAbandoned(join(folder, name), host, Number(pid)))) continue;
    // If several processes try, one succeeds.
    const claimed = await rename(join(folder, name), own).then(
      () => true,
      () => false,
    );
    if (claimed) break;
  }
  return own;
}

async function isAbandoned(path: string, host: string, pid: number): Promise<boolean> {
  if (host === hostname()) return pid === process.pid ? !inProgress.has(path) : !isAlive(pid);
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > ABANDONED_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
