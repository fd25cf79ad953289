/**
 * Whether the runtime's `fetch` has undone the content coding of a body.
 *
 * Nothing of a response tells: the body is decoded, and its headers are those of what was sent. So the
 * rules of both runtimes stand here, and `tests/pool_fetch_coding_test.ts` holds them against the
 * runtimes themselves.
 *
 * @module
 */
import { bunBackend } from "./bun.ts";

/** What Bun decodes, whatever was asked for. */
const BUN: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", "zstd"]);
/** What Deno decodes, unless the request wanted it as it is. */
const DENO: ReadonlySet<string> = new Set(["gzip", "br"]);

/**
 * Whether the body of a response with this `content-encoding` is decoded.
 *
 * @param asked The headers of the request.
 * @param init What else `fetch` was called with.
 */
export function isDecoded(
  coding: string,
  asked: Headers,
  init: RequestInit | undefined,
): boolean {
  if (bunBackend() === undefined) {
    const accepted = asked.get("accept-encoding")?.trim().toLowerCase();
    return accepted !== "identity" && !asked.has("range") && DENO.has(coding.trim().toLowerCase());
  }
  // An option of Bun's own.
  if ((init as { decompress?: unknown } | undefined)?.decompress === false) return false;
  const codings = coding.split(",").map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  return codings.length === 1 && BUN.has(codings[0]!);
}
