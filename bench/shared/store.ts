/**
 * The server of the bench `shared`, the clients that all ways to limit use, and what the server says of its scripts.
 *
 * @module
 */
import { Cluster, Redis } from "ioredis";
import { StoreServer } from "../../tests/support/store_server.ts";

/** The settings that a limiter needs: a call fails at once while there is no connection, and is never repeated. */
const CLIENT_OPTIONS = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // So that a server that is back is found as fast for all.
  retryStrategy: () => 50,
} as const;

/** Starts a server without persistence. */
export async function startStore(): Promise<StoreServer> {
  return await StoreServer.start();
}

/** A client that is connected to a server on this machine. */
export async function connect(port: number): Promise<Redis> {
  const client = new Redis({ host: "127.0.0.1", port, ...CLIENT_OPTIONS });
  // Without a listener, each failed attempt to connect is printed.
  client.on("error", () => {});
  await new Promise<void>((resolve) => client.once("ready", resolve));
  return client;
}

/** A client that is connected to all nodes of a cluster on this machine. */
export async function connectCluster(ports: readonly number[]): Promise<Cluster> {
  const nodes = ports.map((port) => ({ host: "127.0.0.1", port }));
  const { retryStrategy: _, ...redisOptions } = CLIENT_OPTIONS;
  const client = new Cluster(nodes, { enableOfflineQueue: false, redisOptions });
  client.on("error", () => {});
  await new Promise<void>((resolve) => client.once("ready", resolve));
  return client;
}

/** What scripts cost a server since it was asked before. */
export interface ScriptCost {
  readonly calls: number;
  /** Microseconds of the server a call. */
  readonly microseconds: number;
}

/** Forgets what the server counted. */
export async function resetCost(client: Redis): Promise<void> {
  await client.config("RESETSTAT");
}

/** Calls of scripts, by hash or by text, since {@linkcode resetCost}. */
export async function scriptCost(client: Redis): Promise<ScriptCost> {
  const info = await client.info("commandstats");
  let [calls, microseconds] = [0, 0];
  for (const [, count, time] of info.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+),usec=(\d+)/gm)) {
    calls += Number(count);
    microseconds += Number(time);
  }
  return { calls, microseconds: calls === 0 ? 0 : microseconds / calls };
}

/** The bytes of a key of all that are on a server, which belong to `count` keys of a limiter. */
export async function bytesPerKey(client: Redis, count: number): Promise<number> {
  let [cursor, bytes] = ["0", 0];
  do {
    const [next, keys] = await client.scan(cursor, "COUNT", 1000);
    const sizes = await Promise.all(keys.map((key) => client.memory("USAGE", key)));
    bytes += sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    cursor = next;
  } while (cursor !== "0");
  return bytes / count;
}
