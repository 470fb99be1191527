/** A chat endpoint on this machine that judges arithmetic by recomputing every step, and errs where it is told to. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json as readJson } from "node:stream/consumers";
import { arithmetic } from "../../src/tasks/generated/arithmetic.js";

interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly temperature: number;
  readonly max_tokens: number;
  readonly stream: boolean;
}

export interface JudgeServer {
  /** The base, ending in /v1. */
  readonly url: string;
  readonly requests: {
    readonly path: string;
    readonly authorization: string | undefined;
    readonly body: ChatRequest;
  }[];
  /** The most requests that were open at once. */
  mostAtOnce: number;
  /** Answers a request instead of the server where it returns true. */
  fault: ((response: ServerResponse, request: IncomingMessage, count: number) => boolean) | null;
  /** What it replies to a rationale, given whether every step is right; the honest verdict when null. */
  reply: ((sound: boolean, question: string, solution: string) => string) | null;
  /** Whether replies tell of tokens. */
  tells: boolean;
  close(): Promise<void>;
}

export const SOUND = "Every step holds.\nVERDICT: SOUND";
export const FLAWED = "One does not.\nVERDICT: FLAWED";

/** Tokens that the server counts for every request. */
export const USAGE = { prompt_tokens: 100, completion_tokens: 7 };

export async function startJudge(): Promise<JudgeServer> {
  let open = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    server.mostAtOnce = Math.max(server.mostAtOnce, ++open);
    response.on("close", () => open--);
    const body = (await readJson(request)) as ChatRequest;
    const { authorization } = request.headers;
    server.requests.push({ path: `${request.method} ${request.url}`, authorization, body });
    if (server.fault?.(response, request, server.requests.length)) return;
    if (request.url !== "/v1/chat/completions") return refuse(response, 404, "Not Found");
    const { content } = body.messages[0];
    const question = /<question>\n([\s\S]*)\n<\/question>/.exec(content)?.[1] ?? "";
    const solution = /<solution>\n([\s\S]*)\n<\/solution>/.exec(content)?.[1] ?? "";
    const sound = arithmetic.check(solution, question).firstWrong === null;
    complete(response, server.reply?.(sound, question, solution) ?? (sound ? SOUND : FLAWED), server.tells);
  };
  const http = createServer((request, response) => void answer(request, response));
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const server: JudgeServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    requests: [],
    mostAtOnce: 0,
    fault: null,
    reply: null,
    tells: true,
    close: () =>
      new Promise((closed) => {
        http.closeAllConnections();
        http.close(() => closed());
      }),
  };
  return server;
}

export function complete(response: ServerResponse, content: string | null, tells = true, finish = "stop"): void {
  response.setHeader("Content-Type", "application/json");
  response.end(
    JSON.stringify({
      id: "1",
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: finish }],
      ...(tells ? { usage: USAGE } : {}),
    }),
  );
}

export function refuse(response: ServerResponse, status: number, message: string, headers: object = {}): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify({ error: { message } }));
}
