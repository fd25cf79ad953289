/**
 * What an error of the runtime's `fetch` says of where it comes from.
 *
 * `fetch` rejects with a `TypeError` whatever happened. Bun gives those of the network a `code` and an
 * `errno`; Deno calls them "fetch failed" and has the rest in the message of their `cause`, which is the
 * only sign there is. `tests/pool_fetch_blame_test.ts` holds this against the runtimes.
 *
 * @module
 */
import { bunBackend } from "./bun.ts";

/** Where an error of `fetch` comes from. */
export type FetchFault = "network" | "redirects" | "request-body" | "unsent";

/** How Deno tells of the network; what a request's own stream threw stands there in its own words. */
const DENO_NETWORK = /^error sending request|\(os error \d+\)|^(stream|connection) error\b/;

/**
 * Where `error` comes from, or undefined if nothing of it says so.
 *
 * @param hasBody Whether the request may have a body, which may have failed.
 */
export function fetchFault(error: unknown, hasBody: boolean): FetchFault | undefined {
  const { code, errno, name, message, cause } = (error ?? {}) as Record<string, unknown>;
  if (bunBackend() !== undefined) {
    if (typeof errno !== "number" || typeof code !== "string") return undefined;
    return code.includes("Redirect") ? "redirects" : "network";
  }
  // A permission of Deno's that was not given.
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
