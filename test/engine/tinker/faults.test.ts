/** What the client makes of a server, or a way to it, that fails: tried again where that is harmless, else refused. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { TinkerClient } from "../../../src/engine/tinker/client.js";
import { Connection } from "../../../src/engine/tinker/connection.js";
import { FORGET } from "../../../src/engine/tinker/fresh-adam.js";
import { modelInput } from "../../../src/engine/tinker/protocol.js";
import { openTinkerEngine } from "../../../src/engine/tinker/tinker-engine.js";
import { UserError } from "../../../src/errors.js";
import { TestServer } from "./server.js";

const TINY = join(import.meta.dirname, "../../fixtures/tiny-llama");
const KEY = "tml-secret-key";
const REQUEST = {
  prompt: modelInput([5, 6, 7]),
  num_samples: 1,
  prompt_logprobs: false,
  sampling_params: { max_tokens: 4, temperature: 1, top_p: 1, seed: 1, stop: [0] },
} as const;

/** How an answer is spoiled. */
type Fault = (answer: { readonly status: number; readonly text: string }, response: ServerResponse) => void;

const status =
  (code: number, text = "broken", headers = {}): Fault =>
  (_, response) =>
    response.writeHead(code, headers).end(text);
const truncated: Fault = ({ text }, response) => response.writeHead(200).end(text.slice(0, text.length >> 1));
const dropped: Fault = (_, response) => response.destroy();
const hanging: Fault = () => {};

/** Passes requests on to the server, and spoils the answers of some. */
class FaultyProxy {
  readonly seen: string[] = [];
  readonly keys = new Set<string | undefined>();
  /** Faults by endpoint, used up one by one. */
  readonly faults = new Map<string, Fault[]>();
  readonly #server: Server;
  readonly #target: string;

  constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => void this.#pass(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const endpoint = request.url?.replace("/api/v1/", "") ?? "";
    this.seen.push(endpoint);
    this.keys.add(request.headers["x-api-key"] as string | undefined);
    const body = request.method === "POST" ? { body: Buffer.concat(chunks) } : {};
    const answer = await fetch(this.#target + request.url, { method: request.method ?? "GET", ...body });
    const text = await answer.text();
    const fault = this.faults.get(endpoint)?.shift();
    if (fault === undefined) response.writeHead(answer.status).end(text);
    else fault({ status: answer.status, text }, response);
  }
}

let server: TestServer;
let proxy: FaultyProxy;
let url: string;
beforeAll(async () => {
  server = await TestServer.start(TINY);
});
afterAll(() => server.stop());
beforeEach(async () => {
  proxy = new FaultyProxy(server.url);
  url = await proxy.listen();
});
afterEach(() => proxy.close());

const open = () =>
  TinkerClient.open({ url, allowHttp: false, key: KEY, attempts: 4, firstPauseMs: 1, attemptMs: 1500 });
const sample = (client: TinkerClient) => client.sample({ base: "tiny" }, REQUEST, { what: "sampling train[3]" });
const count = (endpoint: string) => proxy.seen.filter((seen) => seen === endpoint).length;

it.each([
  ["500", status(500)],
  ["429", status(429, "slow down", { "retry-after": "0" })],
  ["truncated JSON", truncated],
  ["a dropped connection", dropped],
  ["a hang", hanging],
])("asks again for a sample after %s, and gets the same one", async (_, fault) => {
  const client = await open();
  const expected = await sample(client);
  proxy.faults.set("asample", [fault, fault]);
  proxy.faults.set("retrieve_future", [fault]);
  proxy.seen.length = 0;
  expect(await sample(client)).toEqual(expected);
  expect(count("asample")).toBe(3);
  expect(count("retrieve_future")).toBe(2);
  client.close();
});

it("gives up after as many attempts as it has, and names endpoint, request and remedy", async () => {
  const client = await open();
  proxy.faults.set(
    "asample",
    Array.from({ length: 9 }, () => status(500)),
  );
  proxy.seen.length = 0;
  const attempt = sample(client);
  await expect(attempt).rejects.toThrow(UserError);
  await expect(attempt).rejects.toThrow(/sampling train\[3\].*asample, got status 500.*after 4 attempts.*server's log/);
  expect(count("asample")).toBe(4);
  client.close();
});

it.each([
  ["500", status(500)],
  ["truncated JSON", truncated],
  ["a dropped connection", dropped],
  ["a hang", hanging],
])("does not ask for an update again that the server may have made: %s", async (_, fault) => {
  const client = await open();
  const id = await client.createModel("tiny", { rank: 4, seed: 1 });
  proxy.faults.set("optim_step", [fault]);
  await expect(client.emptyUpdate(id, FORGET, "step 3")).rejects.toThrow(/step 3: update.*resume the run/);
  expect(count("optim_step")).toBe(1);
  client.close();
});

it("asks for an update again that the server did not accept", async () => {
  const client = await open();
  const id = await client.createModel("tiny", { rank: 4, seed: 1 });
  proxy.faults.set("optim_step", [status(429), status(503)]);
  await client.emptyUpdate(id, FORGET, "step 3");
  expect(count("optim_step")).toBe(3);
  client.close();
});

it("does not ask again with a key that is refused, and never shows the key", async () => {
  proxy.faults.set("create_session", [status(401, `no such key: ${KEY}`)]);
  const error = await open().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toContain("status 401");
  expect(String(error)).toContain("TINKER_API_KEY");
  expect(String(error)).not.toContain(KEY);
  expect(count("create_session")).toBe(1);
  expect([...proxy.keys]).toEqual([KEY]);
});

it("waits on where the server's own patience ends before the result is there", async () => {
  const client = await open();
  proxy.faults.set("retrieve_future", [status(408), (_, response) => response.end('{"type":"try_again"}')]);
  expect((await sample(client)).sequences).toHaveLength(1);
  client.close();
});

it("measures its patience by a clock that does not jump", async () => {
  const client = await open();
  const jump = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 365 * 86_400_000);
  proxy.faults.set("retrieve_future", [status(500)]);
  expect((await sample(client)).sequences).toHaveLength(1);
  jump.mockRestore();
  client.close();
});

it("refuses an answer of another form without asking again", async () => {
  const client = await open();
  proxy.faults.set("asample", [status(200, '{"id": 3}')]);
  await expect(sample(client)).rejects.toThrow(/asample.*another form \(request_id/);
  expect(count("asample")).toBe(1);
  client.close();
});

it("shows what the server says of an operation that failed", async () => {
  const client = await open();
  proxy.faults.set("retrieve_future", [status(200, '{"error": "rank too high", "category": "user"}')]);
  await expect(sample(client)).rejects.toThrow(/sampling train\[3\].*rank too high/);
  client.close();
});

it("refuses a server whose model finds plain text less likely than guessing", async () => {
  const values = Array.from({ length: 9 }, () => -40);
  const answer = { sequences: [{ tokens: [5], stop_reason: "length" }], prompt_logprobs: values };
  proxy.faults.set("retrieve_future", [status(200, JSON.stringify(answer))]);
  const opening = openTinkerEngine({
    model: TINY,
    server: { url, allowHttp: false },
    serverModel: null,
    adapter: { rank: 4, seed: 1 },
    maxInFlight: 4,
  });
  await expect(opening).rejects.toThrow(/vocabulary of tiny-llama.*less than guessing/);
});

it.each([
  ["ftp://host", /expected an address/],
  ["no address", /expected an address/],
  ["http://example.org", /expected https.*--allow-http/],
  ["https://user:secret@example.org", /without a password/],
])("refuses the address %s", (address, message) => {
  expect(() => new Connection({ url: address, allowHttp: false })).toThrow(message);
});

it.each([
  ["http://127.0.0.1:8000", false, "http://127.0.0.1:8000/api/v1/"],
  ["http://[::1]:8000/", false, "http://[::1]:8000/api/v1/"],
  ["http://cluster:8000/api/v1/", true, "http://cluster:8000/api/v1/"],
  ["https://example.org/tinker", false, "https://example.org/tinker/api/v1/"],
])("takes the address %s", (address, allowHttp, base) => {
  expect(new Connection({ url: address, allowHttp }).address).toBe(base);
});
