/** Clients of the store, as the documents recommend them: they reconnect, but neither retry nor queue. */
import type * as ioredis from "ioredis";
import type { SharedClient } from "../../src/shared/mod.ts";
import type { GatewaySettings } from "./settings.ts";

const RECONNECT = { least: 20, most: 200 };

/** A client of `ioredis`, of one server or of a cluster. */
export async function ioredisClient(
  ports: readonly number[],
): Promise<ioredis.Redis | ioredis.Cluster> {
  return connectBy(await import("ioredis"), ports);
}

/** The client that the settings name. Each is loaded only where it is used: Workers load it again and again. */
export async function clientOf({ client, stores }: GatewaySettings): Promise<SharedClient> {
  switch (client) {
    case "ioredis":
      return await ioredisClient(stores);
    case "iovalkey":
      // It was ioredis, and its types are nearly the same.
      return connectBy(await import("iovalkey") as unknown as typeof ioredis, stores);
    case "node-redis":
      return await connectNodeRedis(stores);
  }
}

function connectBy(
  { Redis, Cluster }: typeof ioredis,
  ports: readonly number[],
): ioredis.Redis | ioredis.Cluster {
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: delayOf,
  };
  const nodes = ports.map((port) => ({ host: "127.0.0.1", port }));
  const client = nodes.length > 1
    ? new Cluster(nodes, { redisOptions: options, enableOfflineQueue: false })
    : new Redis({ ...options, ...nodes[0]! });
  // Calls report the same.
  client.on("error", () => {});
  return client;
}

async function connectNodeRedis(ports: readonly number[]): Promise<SharedClient> {
  const { createClient, createCluster } = await import("redis");
  const socket = { host: "127.0.0.1", reconnectStrategy: delayOf };
  if (ports.length > 1) {
    const cluster = createCluster({
      rootNodes: ports.map((port) => ({ socket: { ...socket, port } })),
      defaults: { disableOfflineQueue: true, socket },
    });
    cluster.on("error", () => {});
    await cluster.connect();
    return cluster;
  }
  const client = createClient({
    disableOfflineQueue: true,
    socket: { ...socket, port: ports[0]! },
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

function delayOf(times: number): number {
  return Math.min(RECONNECT.least * times, RECONNECT.most);
}
