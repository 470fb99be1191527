/** Which files hold the training and the test split of a data set. */

import { createHash } from "node:crypto";
import { shown, UserError } from "../../errors.js";
import { flagOf } from "../../settings.js";
import { openSource } from "../sources/open-source.js";
import { isRowFile, ROW_FILES_IN_WORDS, type Row } from "../sources/rows.js";
import type { Source, SourceFolder } from "../sources/source.js";
import type { TaskOptions } from "../task-options.js";
import type { Dataset, SplitFiles } from "./dataset.js";
import { filesOfSplit, type SplitNames } from "./split-names.js";

export interface Located {
  readonly train: SplitFiles;
  readonly test: SplitFiles;
  /** The settings for the same files, with hub revisions pinned to commits. */
  readonly pinned: { readonly data: string; readonly eval?: string };
}

/** Folders in which any release may keep its files. */
const COMMON_FOLDERS = ["data", "default"];
const MAX_NAMES = 30;

/**
 * `data` is a training file, or a folder or hub data set with both splits, by default the data set's own on the hub;
 * `eval` is the test file, or a folder or hub data set with the test split. Throws UserError when a split is missing or
 * could be several things.
 */
export async function locateSplits(dataset: Dataset, options: TaskOptions): Promise<Located> {
  const { data, eval: test, evalShare } = options;
  const source = await openSource(data ?? defaultSource(dataset));
  if (evalShare !== undefined && evalShare !== null) return divided(dataset, source, evalShare, options);
  const tested = test === undefined || test === null ? null : await openSource(test);
  const pinned = { data: source.pinned, ...(tested === null ? {} : { eval: tested.pinned }) };
  const ofTest = async (): Promise<SplitFiles | null> => {
    if (tested === null) return null;
    if (tested.kind === "file") return { paths: [tested.path] };
    return (await inFolders(dataset, tested.folder, (home) => testFiles(dataset, home))).found;
  };
  if (source.kind === "file") {
    const files = await ofTest();
    if (files !== null) return { train: { paths: [source.path] }, test: files, pinned };
    throw new UserError(
      `task ${dataset.name}: expected a test file in eval beside the training file ${shown(source.path)}, got nothing; ${testRemedy(dataset)}`,
    );
  }
  const { found: train, home } = await inFolders(dataset, source.folder, (place) => trainFiles(dataset, place));
  const files = (await ofTest()) ?? (await testFiles(dataset, home)) ?? (await missing(dataset, home));
  return { train, test: files, pinned };
}

function testRemedy({ splitKey }: Dataset): string {
  const divide = splitKey === undefined ? "" : `, or ${flagOf("evalShare")} 0.1 to test on a tenth of its questions`;
  return `give one with ${flagOf("eval")}${divide}`;
}

/** One set of files for both splits, divided by the content of their rows. */
async function divided(dataset: Dataset, source: Source, share: number, { eval: test }: TaskOptions): Promise<Located> {
  const { splitKey } = dataset;
  if (splitKey === undefined) throw new Error(`task ${dataset.name} does not divide files`);
  const refuse = (got: string) =>
    new UserError(`evalShare: expected data without a test set, got ${got}; leave one of them out`);
  if (test !== undefined && test !== null) throw refuse(`eval ${shown(test)} as well`);
  const paths = await dividedFiles(dataset, source, refuse);
  const isTest = (row: Row) => positionOf(splitKey(row)) < share;
  const train = { paths, takes: (row: Row) => !isTest(row) };
  return { train, test: { paths, takes: isTest }, pinned: { data: source.pinned } };
}

async function dividedFiles(
  dataset: Dataset,
  source: Source,
  refuse: (got: string) => UserError,
): Promise<readonly string[]> {
  if (source.kind === "file") return [source.path];
  const { found, home } = await inFolders(dataset, source.folder, (place) => trainFiles(dataset, place));
  const tested = await testFiles(dataset, home);
  if (tested !== null) throw refuse(`the test files ${tested.paths.join(", ")}`);
  return found.paths;
}

/** A number in [0, 1) that depends on nothing but the text. */
function positionOf(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}

function defaultSource({ name, hub }: Dataset): string {
  if (hub !== undefined) return `hub:${hub}`;
  throw new UserError(
    `task ${name}: expected its rows in data, a folder with train* and test* files or a training file, got nothing`,
  );
}

/** A folder and where in it to look. */
interface Home {
  readonly folder: SourceFolder;
  readonly path: string;
}

/** The result of `find` for the first folder in which it finds something. */
async function inFolders<T>(
  dataset: Dataset,
  folder: SourceFolder,
  find: (home: Home) => Promise<T | null>,
): Promise<{ readonly found: T; readonly home: Home }> {
  for (const path of ["", ...(dataset.folders ?? []), ...COMMON_FOLDERS]) {
    const home = { folder, path };
    const found = await find(home);
    if (found !== null) return { found, home };
  }
  return missing(dataset, { folder, path: "" });
}

async function trainFiles(dataset: Dataset, home: Home): Promise<SplitFiles | null> {
  const [first, ...more] = dataset.train;
  const paths = await filesOf(dataset, home, first);
  if (paths.length === 0) return wholeFile(dataset, home, false);
  for (const split of more) paths.push(...(await filesOf(dataset, home, split)));
  return { paths };
}

async function testFiles(dataset: Dataset, home: Home): Promise<SplitFiles | null> {
  // Beside a release in one file there may be files called test that are something else (CLadder has them).
  const [first] = dataset.train;
  const inOnePiece = (await filesOf(dataset, home, first)).length === 0 && (await wholeFile(dataset, home, true));
  if (inOnePiece) return inOnePiece;
  const paths = await filesOf(dataset, home, dataset.test);
  return paths.length === 0 ? null : { paths };
}

/** The rows of one split in a file that holds both. */
async function wholeFile(dataset: Dataset, home: Home, test: boolean): Promise<SplitFiles | null> {
  if (dataset.whole === undefined) return null;
  const { names, isTest } = dataset.whole;
  const paths = await filesOf(dataset, home, names);
  return paths.length === 0 ? null : { paths, takes: (row) => isTest(row) === test };
}

/**
 * Local paths of the files of the first of `names` that is there. They may be in a folder of the split
 * (`train/0000.parquet`).
 */
async function filesOf(dataset: Dataset, { folder, path }: Home, names: SplitNames): Promise<string[]> {
  const entries = await folder.entries(path);
  if (entries === null) return [];
  const where = path === "" ? folder.name : `${path} of ${folder.name}`;
  const within = (name: string) => (path === "" ? name : `${path}/${name}`);
  for (const name of names) {
    const files = filesOfSplit(entries.files, name, { leaveOut: dataset.leaveOut ?? [], where });
    if (files.length > 0) return Promise.all(files.map((file) => folder.fetch(within(file))));
    const own = entries.folders.find((one) => one.toLowerCase() === name);
    const inside = own === undefined ? [] : ((await folder.entries(within(own)))?.files.filter(isRowFile) ?? []);
    if (own !== undefined && inside.length > 0) {
      return Promise.all(inside.map((file) => folder.fetch(`${within(own)}/${file}`)));
    }
  }
  return [];
}

async function missing(dataset: Dataset, { folder, path }: Home): Promise<never> {
  const { files, folders } = (await folder.entries(path)) ?? { files: [], folders: [] };
  const [first] = dataset.train;
  const wanted = (names: SplitNames) => names.map((name) => `${name}*`).join(" or ");
  const names = [...folders.map((name) => `${name}/`), ...files];
  const got = names.length > MAX_NAMES ? `${names.slice(0, MAX_NAMES).join(", ")}, …` : names.join(", ");
  throw new UserError(
    `task ${dataset.name}: expected ${wanted(first)} and ${wanted(dataset.test)} (${ROW_FILES_IN_WORDS}) in ${folder.name}, got ${got || "an empty folder"}; ${testRemedy(dataset)}`,
  );
}
