/**
 * Classification of the errors of each runtime's `fetch` by their origin.
 *
 * `fetch` rejects with a `TypeError` for every failure. Bun adds a `code` and an `errno` to errors of the network. Deno
 * and Node say "fetch failed", and only the `cause` shows the origin. `tests/pool_fetch_blame_test.ts` compares
 * these rules with the runtimes.
 *
 * @module
 */
import { runtime } from "./runtime.ts";

/** The origin of an error of `fetch`. */
export type FetchFault = "network" | "redirects" | "request-body" | "unsent";

/** Deno's messages for errors of the network. An error of the request's own stream has its own message there. */
const DENO_NETWORK = /^error sending request|\(os error \d+\)|^(stream|connection) error\b/;

/** Node's messages for redirects that it does not follow. */
const NODE_REDIRECTS = /^(redirect count exceeded|unexpected redirect|URL scheme must be )/;

/** Node's messages for requests that it does not send. */
const NODE_UNSENT = /^(bad port|unknown scheme|invalid method)$/;

/** Node's codes for requests that it does not send. */
const NODE_UNSENT_CODE = /^UND_ERR_(NOT_SUPPORTED|INVALID_ARG|REQ_CONTENT_LENGTH_MISMATCH)$/;

/** Node's messages for responses that it does not understand, which have no code. */
const NODE_NETWORK = /^(Response does not match the HTTP|too many content-encodings)/;

/** Node's codes for errors of its client and of TLS. Other codes are also those of a client's upload that broke. */
const NODE_NETWORK_CODE = /^(UND_ERR|HPE|ERR_SSL|ERR_TLS|CERT|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)_/;

/** Calls of the system on a socket. An upload that broke at a server of Node's names no call, or a call on a file. */
const NODE_SOCKET = /^(connect|getaddrinfo|(read|write) (ECONNRESET|EPIPE|ETIMEDOUT)\b)/;

/**
 * The origin of `error`, or undefined if the error does not show it.
 *
 * @param hasBody Whether the request may have a body, which may have failed.
 */
export function fetchFault(error: unknown, hasBody: boolean): FetchFault | undefined {
  const it = (error ?? {}) as Failed;
  switch (runtime()) {
    case "bun":
      if (typeof it.errno !== "number" || typeof it.code !== "string") return undefined;
      return it.code.includes("Redirect") ? "redirects" : "network";
    case "deno":
      return denoFault(it, hasBody);
    case "node":
      return nodeFault(it, hasBody);
  }
}

/** What an error may have. */
interface Failed {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly syscall?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

function denoFault({ name, message, cause }: Failed, hasBody: boolean): FetchFault | undefined {
  // A permission is missing.
  if (name === "NotCapable") return "unsent";
  if (typeof message !== "string") return undefined;
  if (message.startsWith("Fetch failed: ")) {
    return message.includes("redirect") ? "redirects" : "unsent";
  }
  if (message !== "fetch failed") return undefined;
  const { message: why, code } = (cause ?? {}) as Failed;
  const isNetwork = !hasBody || typeof code === "string" || DENO_NETWORK.test(String(why));
  return isNetwork ? "network" : "request-body";
}

function nodeFault({ message, cause }: Failed, hasBody: boolean): FetchFault | undefined {
  if (message !== "fetch failed") return undefined;
  const { message: why, code, syscall } = (cause ?? {}) as Failed;
  const [text, name] = [String(why), String(code)];
  if (NODE_REDIRECTS.test(text)) return "redirects";
  if (NODE_UNSENT.test(text) || NODE_UNSENT_CODE.test(name)) return "unsent";
  const isNetwork = !hasBody || NODE_NETWORK.test(text) || NODE_NETWORK_CODE.test(name) ||
    NODE_SOCKET.test(`${String(syscall)} ${name}`);
  return isNetwork ? "network" : "request-body";
}
