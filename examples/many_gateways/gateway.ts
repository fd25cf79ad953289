/**
 * One gateway, a process of its own: it asks the shared limit for each request and forwards what is admitted. Its arguments
 * are the port of the store and the origin of the upstream; it prints its own port.
 *
 * @module
 */
import { Redis } from "ioredis";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { openTenants, TENANT_FIELD } from "./limit.ts";

const [storePort, upstream] = process.argv.slice(2);

// A call fails at once while there is no connection, so that the limiter knows it.
const client = new Redis({
  host: "127.0.0.1",
  port: Number(storePort),
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  lazyConnect: true,
  retryStrategy: () => 100,
});
client.on("error", () => {});
await client.connect();
const tenants = openTenants(client);

const server = createServer(async (request, response) => {
  const tenant = String(request.headers[TENANT_FIELD]);
  try {
    const decision = await tenants.takeShared(tenant);
    response.setHeader("x-source", decision.source);
    if (!decision.allowed) {
      const seconds = Math.ceil(decision.retryAfterMs / 1000);
      response.writeHead(429, { "retry-after": String(seconds) }).end();
      return;
    }
    const answer = await fetch(upstream!, { headers: { [TENANT_FIELD]: tenant } });
    response.writeHead(answer.status).end(await answer.text());
  } catch {
    response.writeHead(500).end();
  }
});
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port);
});
// The parent closes this stream, also by its death.
process.stdin.on("end", async () => {
  await tenants[Symbol.asyncDispose]();
  process.exit(0);
});
process.stdin.resume();
