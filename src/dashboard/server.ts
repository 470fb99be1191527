/** The dashboard's server: pages and the API over RUNS_DIR, for this machine unless it is bound elsewhere. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { UserError } from "../errors.js";
import { codeOf } from "../system-errors.js";
import { api } from "./api.js";
import { guard, isLoopback } from "./guard.js";
import { Library } from "./library.js";
import { readPages } from "./pages.js";

export interface DashboardOptions {
  /** Folder of runs, or a run's own. It may not exist yet. */
  readonly root: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Dashboard {
  /** With the token, where one is needed. */
  readonly url: string;
  close(): Promise<void>;
}

/** Throws UserError where the port is taken, or the host is none of this machine's. */
export async function startDashboard({ root, host, port }: DashboardOptions): Promise<Dashboard> {
  const token = isLoopback(host) ? null : randomBytes(24).toString("base64url");
  const app = dashboardApp(root, token);
  const server = createAdaptorServer({ fetch: app.fetch });
  server.listen(port, host.replace(/^\[|\]$/g, ""));
  try {
    await once(server, "listening");
  } catch (error) {
    throw refusal(error, host, port);
  }
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}/${token === null ? "" : `?token=${token}`}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}

function dashboardApp(root: string, token: string | null): Hono {
  const pages = readPages();
  const app = new Hono();
  app.use(guard(token));
  app.use("/api/*", async (context, next) => {
    context.header("Cache-Control", "no-store");
    await next();
  });
  app.route("/api", api(new Library(root)));
  app.get("*", (context) => {
    const page = pages.get(context.req.path);
    // Names of assets have a digest of their content.
    if (page !== undefined && context.req.path.startsWith("/assets/")) {
      context.header("Cache-Control", "public, max-age=31536000, immutable");
      return context.body(page.bytes, 200, { "Content-Type": page.type });
    }
    const index = pages.get("/index.html");
    if (index === undefined || !PAGE_PATHS.has(context.req.path)) return context.text("There is no such page.\n", 404);
    return context.body(index.bytes, 200, { "Content-Type": index.type, "Cache-Control": "no-cache" });
  });
  return app;
}

/** Paths of pages; what they show is in their query. */
const PAGE_PATHS: ReadonlySet<string> = new Set(["/", "/run", "/compare"]);

function refusal(error: unknown, host: string, port: number): unknown {
  const address = `--host: expected an address of this machine, got ${host}`;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is taken: choose another with --port, or 0 for any that is free`,
    EACCES: `port ${port} may not be used by you: choose one of at least 1024 with --port`,
    EADDRNOTAVAIL: address,
    ENOTFOUND: address,
  };
  const reason = reasons[codeOf(error) ?? ""];
  return reason === undefined ? error : new UserError(reason);
}
