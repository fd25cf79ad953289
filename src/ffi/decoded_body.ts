/**
 * The rules by which the `fetch` of each runtime decodes the content coding of a body.
 *
 * A response does not show whether its body was decoded, because its headers stay as they were sent.
 * `tests/pool_fetch_coding_test.ts` compares these rules with the runtimes.
 *
 * @module
 */
import { runtime } from "./runtime.ts";

/** The codings that Bun and Node decode, whatever the request accepts. */
const BUN_AND_NODE: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", "zstd"]);
/** The codings that Deno decodes, unless the request accepts only the identity. */
const DENO: ReadonlySet<string> = new Set(["gzip", "br"]);
/** The most codings that Node decodes one after the other. It fails where there are more. */
const NODE_CODINGS = 5;

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
  const codings = coding.split(",").map((name) => name.trim().toLowerCase());
  switch (runtime()) {
    case "bun": {
      // An option of Bun.
      if ((init as { decompress?: unknown } | undefined)?.decompress === false) return false;
      const [only, ...more] = codings.filter((name) => name !== "" && name !== "identity");
      return only !== undefined && more.length === 0 && BUN_AND_NODE.has(only);
    }
    case "deno": {
      const accepted = asked.get("accept-encoding")?.trim().toLowerCase();
      return accepted !== "identity" && !asked.has("range") && DENO.has(codings.join());
    }
    case "node":
      return codings.length <= NODE_CODINGS && codings.every((name) => BUN_AND_NODE.has(name));
  }
}
