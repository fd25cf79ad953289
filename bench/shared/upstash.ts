/**
 * An adapter of ioredis to what `@upstash/ratelimit` needs of `@upstash/redis`, which speaks HTTP to Upstash only.
 *
 * The package's scripts begin with a line of flags that only Upstash's server knows. Redis refuses such a script, so that
 * line is left out; the rest is the package's own.
 *
 * @module
 */
import type { RatelimitConfig } from "@upstash/ratelimit";
import { createHash } from "node:crypto";
import type { Cluster, Redis } from "ioredis";

type UpstashRedis = RatelimitConfig["redis"];

/** The client that the package takes. */
export function upstashRedis(client: Redis | Cluster): UpstashRedis {
  /** The hashes of the scripts as Redis has them, by those of the package. */
  const known = new Map<string, string>();
  const adapter = {
    async evalsha(sha: string, keys: string[], args: unknown[]): Promise<unknown> {
      const own = known.get(sha);
      if (own === undefined) throw new Error("NOSCRIPT not sent yet");
      return await client.evalsha(own, keys.length, ...keys, ...args.map(String));
    },
    async eval(script: string, keys: string[], args: unknown[]): Promise<unknown> {
      const source = script.replace(/^#!.*\n/, "");
      known.set(sha1(script), sha1(source));
      return await client.eval(source, keys.length, ...keys, ...args.map(String));
    },
  };
  return adapter as unknown as UpstashRedis;
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
