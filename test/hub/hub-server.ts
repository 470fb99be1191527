import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** One repository of the server: what each revision is, and the files of all of them. */
export interface ServedRepository {
  readonly revisions: Record<string, string>;
  readonly files: Record<string, Buffer>;
}

export interface HubServer {
  readonly url: string;
  readonly datasets: Record<string, ServedRepository>;
  readonly models: Record<string, ServedRepository>;
  /** `GET /path` of every request so far, without what follows `?`. */
  readonly requests: string[];
  /** Answers a request instead of the server where it returns true. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  close(): Promise<void>;
}

/** All files below `folder` by their path in it. */
export function filesBelow(folder: string): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[
      path
        .slice(folder.length)
        .replace(/^[\\/]/, "")
        .replaceAll("\\", "/")
    ] = readFileSync(path);
  }
  return files;
}

/**
 * Speaks as much of the hub's protocol as reading data sets and models takes: revisions, listings in pages, downloads.
 */
export async function startHub(
  datasets: Record<string, ServedRepository>,
  models: Record<string, ServedRepository> = {},
): Promise<HubServer> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://hub");
    hub.requests.push(`${request.method} ${pathname}`);
    if (hub.fault?.(request, response)) return;
    const [, kind = "", name = "", action = "", revision = "", path = ""] =
      /^(?:\/api)?\/(datasets\/|models\/|)([^/]+\/[^/]+)\/(revision|tree|resolve)\/([^/]+)(?:\/(.*))?$/.exec(
        pathname,
      ) ?? [];
    const dataset = (kind === "datasets/" ? hub.datasets : hub.models)[name];
    if (dataset === undefined) return refuse(response, 401, "Repository not found");
    const asked = decodeURIComponent(revision);
    const commit = Object.values(dataset.revisions).find((sha) => sha === asked) ?? dataset.revisions[asked];
    if (commit === undefined) return refuse(response, 404, `Invalid rev id: ${asked}`);
    if (action === "revision") return json(response, { _id: "1", id: name, sha: commit, lastModified: "2026-01-01" });
    if (action === "tree") return tree(response, dataset, pathname, Number(searchParams.get("cursor") ?? 0));
    const content = dataset.files[decodeURIComponent(path)];
    if (content === undefined) return refuse(response, 404, "Entry not found", { "X-Error-Code": "EntryNotFound" });
    download(request, response, content);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const hub: HubServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    datasets,
    models,
    requests: [],
    fault: null,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
  return hub;
}

const PAGE = 3;

function tree(response: ServerResponse, { files }: ServedRepository, pathname: string, cursor: number): void {
  const paths = Object.keys(files);
  const folders = new Set(paths.flatMap((path) => (path.includes("/") ? [path.slice(0, path.lastIndexOf("/"))] : [])));
  const entries = [
    ...[...folders].map((path) => ({ type: "directory", oid: "0", size: 0, path })),
    ...Object.entries(files).map(([path, content]) => entry(path, content)),
  ];
  const next = cursor + PAGE;
  if (next < entries.length) {
    response.setHeader("Link", `<http://${response.req.headers.host}${pathname}?cursor=${next}>; rel="next"`);
  }
  json(response, entries.slice(cursor, next));
}

function entry(path: string, content: Buffer): object {
  const size = content.length;
  const oid = createHash("sha1").update(`blob ${size}\0`).update(content).digest("hex");
  const lfs = { oid: createHash("sha256").update(content).digest("hex"), size, pointerSize: 130 };
  return /\.(?:parquet|safetensors)$/.test(path)
    ? { type: "file", oid, size, path, lfs }
    : { type: "file", oid, size, path };
}

function download(request: IncomingMessage, response: ServerResponse, content: Buffer): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  response.setHeader("ETag", '"x"');
  if (range === null) return void response.end(content);
  const [start, end] = [Number(range[1]), Number(range[2])];
  response.writeHead(206, { "Content-Range": `bytes ${start}-${end}/${content.length}` });
  response.end(content.subarray(start, end + 1));
}

export function refuse(response: ServerResponse, status: number, error: string, headers: object = {}): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify({ error }));
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(value));
}
