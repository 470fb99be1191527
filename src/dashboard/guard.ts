/** Who may ask the server, and what browsers may do with its answers. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";

const COOKIE = "adastar-token";
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host === "::1";
}

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/**
 * Only reading is allowed. Without a token the server listens on loopback, and a request must name loopback in its Host
 * header: a page elsewhere whose name is made to point here (DNS rebinding) does not. With a token every request needs
 * it.
 */
export function guard(token: string | null): MiddlewareHandler {
  return async (context, next) => {
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    const { method } = context.req;
    if (method !== "GET" && method !== "HEAD") return context.text("Only GET and HEAD are answered.\n", 405);
    if (context.req.header("sec-fetch-site") === "cross-site" && context.req.header("sec-fetch-mode") !== "navigate") {
      return context.text("Pages of other sites may not read this.\n", 403);
    }
    if (token === null) {
      const host = (context.req.header("host") ?? "").replace(/:\d+$/, "").toLowerCase();
      if (!LOOPBACK.has(host)) return context.text("Ask for localhost: this server is for this machine only.\n", 403);
      return next();
    }
    const stated = context.req.query("token");
    if (stated !== undefined && same(stated, token)) {
      setCookie(context, COOKIE, token, { httpOnly: true, sameSite: "Strict", path: "/" });
      const url = new URL(context.req.url);
      url.searchParams.delete("token");
      return context.redirect(`${url.pathname}${url.search}`);
    }
    const bearer = context.req.header("authorization")?.replace(/^Bearer /, "");
    const given = bearer ?? getCookie(context, COOKIE);
    if (given !== undefined && same(given, token)) return next();
    return context.text("Open the address with its token, as the server printed it.\n", 401);
  };
}

/** In a time that does not depend on where two texts differ. */
function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
