/**
 * Classification of the errors of each runtime's `fetch` by their origin.
 *
 * `fetch` rejects with a `TypeError` for every failure. Bun adds a `code` and an `errno` to errors of the network. Deno
 * says "fetch failed", and only the message of the `cause` shows the origin. `tests/pool_fetch_blame_test.ts` compares
 * these rules with the runtimes.
 *
 * @module
 */
import { bunBackend } from "./bun.ts";

/** The origin of an error of `fetch`. */
export type FetchFault = "network" | "redirects" | "request-body" | "unsent";

/** Deno's messages for errors of the network. An error of the request's own stream has its own message there. */
const DENO_NETWORK = /^error sending request|\(os error \d+\)|^(stream|connection) error\b/;

/**
 * The origin of `error`, or undefined if the error does not show it.
 *
 * @param hasBody Whether the request may have a body, which may have failed.
 */
export function fetchFault(error: unknown, hasBody: boolean): FetchFault | undefined {
  const { code, errno, name, message, cause } = (error ?? {}) as Record<string, unknown>;
  if (bunBackend() !== undefined) {
    if (typeof errno !== "number" || typeof code !== "string") return undefined;
    return code.includes("Redirect") ? "redirects" : "network";
  }
  // Deno lacks a permission.
  if (name === "NotCapable") return "unsent";
  if (typeof message !== "string") return undefined;
  if (message.startsWith("Fetch failed: ")) {
    return message.includes("redirect") ? "redirects" : "unsent";
  }
  if (message !== "fetch failed") return undefined;
  const { message: why, code: own } = (cause ?? {}) as Record<string, unknown>;
  const isNetwork = !hasBody || typeof own === "string" || DENO_NETWORK.test(String(why));
  return isNetwork ? "network" : "request-body";
}
