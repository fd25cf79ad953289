/**
 * Scripts that are run by their hash, and by their text on a server that does not have them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Cluster, Redis } from "ioredis";

/** Runs a script with one key. */
export function scriptOf(
  client: Redis | Cluster,
  source: string,
): (key: string, args: readonly string[]) => Promise<unknown> {
  const sha = createHash("sha1").update(source).digest("hex");
  return async (key, args) => {
    try {
      return await client.evalsha(sha, 1, key, ...args);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return await client.eval(source, 1, key, ...args);
    }
  };
}
