/** Where rows come from: a file, a folder, or a data set on the Hugging Face hub, all read in the same way. */

/** What a folder holds, by name. */
interface Entries {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** A folder on this machine or on the hub. Paths within it have forward slashes; `""` is the folder itself. */
export interface SourceFolder {
  /** Its name in messages. */
  readonly name: string;
  /** Null when there is no such folder. */
  entries(path: string): Promise<Entries | null>;
  /** The file's path on this machine; downloads it if needed. */
  fetch(path: string): Promise<string>;
}

export type Source = (
  | { readonly kind: "folder"; readonly folder: SourceFolder }
  /** Its path on this machine. */
  | { readonly kind: "file"; readonly path: string }
) & {
  /** The setting that opens the same rows again: a hub reference has the commit that was found. */
  readonly pinned: string;
};
