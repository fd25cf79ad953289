/**
 * The rules by which the `fetch` of each runtime decodes the content coding of a body.
 *
 * A response does not show whether its body was decoded, because its headers stay as they were sent.
 * `tests/pool_fetch_coding_test.ts` compares these rules with the runtimes.
 *
 * @module
 */
import { bunBackend } from "./bun.ts";

/** The codings that Bun decodes, whatever the request accepts. */
const BUN: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", "zstd"]);
/** The codings that Deno decodes, unless the request accepts only the identity. */
const DENO: ReadonlySet<string> = new Set(["gzip", "br"]);

/**
 * Whether the runtime decodes the body of a response with this `content-encoding`.
 *
 * @param asked The headers of the request.
 * @param init The other options of `fetch`.
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
  // An option of Bun.
  if ((init as { decompress?: unknown } | undefined)?.decompress === false) return false;
  const codings = coding.split(",").map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  return codings.length === 1 && BUN.has(codings[0]!);
}
