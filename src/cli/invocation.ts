/** Commands as the user can type them in the present folder, so that every hint can be pasted. */

import { existsSync } from "node:fs";
import { delimiter, join, relative, sep } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

const COMMAND = "adastar";

/** npm and npx put such folders on the PATH of the programs they start. The user's shell does not have them. */
const ADDED_BY_NPM = `node_modules${sep}.bin`;

/** `adastar` where the user's shell finds it, else `npx adastar`. */
export function commandName(env: Environment = process.env, platform: NodeJS.Platform = process.platform): string {
  const names = platform === "win32" ? [`${COMMAND}.cmd`, `${COMMAND}.ps1`] : [COMMAND];
  const path = env["PATH"] ?? env["Path"] ?? "";
  const folders = path.split(delimiter).filter((folder) => folder !== "" && !folder.includes(ADDED_BY_NPM));
  const found = folders.some((folder) => names.some((name) => existsSync(join(folder, name))));
  return found ? COMMAND : `npx ${COMMAND}`;
}

/** A command line to paste: `npx adastar resume runs/a`. */
export function commandLine(...words: readonly string[]): string {
  return [commandName(), ...words.map((word) => shellWord(word))].join(" ");
}

/** The path relative to the present folder, if that is shorter. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short !== "" && short.length < path.length ? short : path;
}

/** A word as the shell takes it, quoted if needed: cmd and PowerShell use double quotes, other shells single quotes. */
export function shellWord(word: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return /^[\w./@%+=:,\\-]+$/.test(word) ? word : `"${word.replaceAll('"', '""')}"`;
  return /^[\w./@%+=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
