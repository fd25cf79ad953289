/**
 * Clients of all kinds, and limiters that share their limits through a real server.
 *
 * @module
 */
import { Redis as Ioredis } from "ioredis";
import { Redis as Iovalkey } from "iovalkey";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { type Limits, RateLimiter } from "../../mod.ts";
import { type SharedClient, valkey, type ValkeyOptions } from "../../src/shared/mod.ts";
import type { StoreServer } from "./store_server.ts";

/** A client that is connected, and how to end it. */
export interface Connected {
  readonly client: SharedClient;
  end(): void;
}

/** Ignores what a client reports besides rejecting its calls. */
const ignore = (): void => {};

/** How a client of each kind is made. `Bun.redis` is only in Bun. */
export const CLIENTS: Readonly<Record<string, (server: StoreServer) => Promise<Connected>>> = {
  ioredis: ({ url }) => io(new Ioredis(url, IO)),
  iovalkey: ({ url }) => io(new Iovalkey(url, IO)),
  "node-redis": async ({ url }) => {
    const client = createClient({
      url,
      disableOfflineQueue: true,
      socket: { reconnectStrategy: () => 20 },
    });
    client.on("error", ignore);
    await client.connect();
    return { client, end: () => client.destroy() };
  },
  ...bunClient(),
};

const IO = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  lazyConnect: true,
  retryStrategy: () => 20,
} as const;

async function io(client: Ioredis | Iovalkey): Promise<Connected> {
  client.on("error", ignore);
  await client.connect();
  return { client, end: () => client.disconnect() };
}

/** The part of `Bun.RedisClient` that is used here. */
interface BunRedis {
  connect(): Promise<unknown>;
  send(command: string, args: string[]): Promise<unknown>;
  close(): void;
}

function bunClient(): Record<string, (server: StoreServer) => Promise<Connected>> {
  const { Bun: bun } = globalThis as { Bun?: { RedisClient: new (url: string) => BunRedis } };
  if (bun === undefined) return {};
  return {
    "Bun.redis": async ({ url }) => {
      const client = new bun.RedisClient(url);
      await client.connect();
      return { client, end: () => client.close() };
    },
  };
}

/** Test files may share a process, and with it the names of limiters. */
const run = crypto.randomUUID();
let made = 0;

/** A limiter whose limits are shared through `server`, and its client. */
export class Shared<L extends Limits> implements AsyncDisposable {
  readonly limiter: RateLimiter<L>;
  readonly connected: Connected;

  private constructor(limiter: RateLimiter<L>, connected: Connected) {
    this.limiter = limiter;
    this.connected = connected;
  }

  /** Makes a limiter with a name of its own. */
  static async open<L extends Limits>(
    server: StoreServer,
    limits: L,
    options: Partial<ValkeyOptions> & { readonly name?: string } = {},
  ): Promise<Shared<L>> {
    const { name = `shared ${run} ${++made}`, ...rest } = options;
    const connected = await CLIENTS["ioredis"]!(server);
    const shared = valkey({ client: connected.client, ...rest });
    return new Shared(new RateLimiter({ name, limits, shared }), connected);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.limiter[Symbol.asyncDispose]();
    this.connected.end();
  }
}

/** Waits until something is true. */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let tries = 0; !await isTrue(); tries++) {
    if (tries > 500) throw new Error(`${what} did not happen within 5 s`);
    await sleep(10);
  }
}

/** The fields of the hash of a key, from which the id of the process is left out. */
export async function fields(
  server: StoreServer,
  limiter: string,
  key: string,
): Promise<Map<string, string>> {
  const [hash] = (await server.command("KEYS", `*:${encodeURIComponent(limiter)}:${key}`)).split(
    "\n",
  );
  const words = (await server.command("HGETALL", hash!)).split("\n");
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < words.length; i += 2) {
    pairs.push([words[i]!.replace(/^p\..*/, "p"), words[i + 1]!]);
  }
  return new Map(pairs);
}
