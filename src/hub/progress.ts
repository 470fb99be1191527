/**
 * Progress of downloads. They fill a cache that all runs of a process share, so it is reported per process and not per
 * run.
 */

export interface DownloadProgress {
  /** `owner/name` of the repository. */
  readonly name: string;
  /** The file's path in the repository. */
  readonly path: string;
  /** Bytes of the file that are in the cache. */
  readonly received: number;
  /** Bytes of the whole file. */
  readonly size: number;
}

type DownloadListener = (progress: DownloadProgress) => void;

let listener: DownloadListener = () => {};

/** Shows downloads with `shown` from now on, in place of what showed them before. It must not throw. */
export function showDownloads(shown: DownloadListener): void {
  listener = shown;
}

export function reportDownload(progress: DownloadProgress): void {
  listener(progress);
}
