/**
 * TCP sockets and ioredis clients, each lent to one user at a time by a `ResourcePool`.
 *
 *     bun examples/tcp_resources.ts
 *     deno run -A examples/tcp_resources.ts
 *
 * Two small servers that speak the protocol of Redis run in this process. One of them closes all connections midway.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { ResourcePool } from "../mod.ts";
import { RespServer } from "../tests/fixtures/resp_server.ts";

await using server = await RespServer.start();
await using restarting = await RespServer.start();

// Sockets: `create` opens one, `validate` checks it before it is lent again, `destroy` closes it.
const sockets = new ResourcePool<Socket>({
  async create(signal) {
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    socket.on("error", () => socket.destroy());
    await once(socket, "connect", { signal });
    return socket;
  },
  validate: (socket) => socket.writable,
  destroy: (socket) => void socket.destroy(),
  max: 4,
  idleTimeoutMs: 1000,
});

const answers = await Promise.all(Array.from({ length: 100 }, () =>
  sockets.use(async (socket) => {
    socket.write("*1\r\n$4\r\nPING\r\n");
    return String((await once(socket, "data"))[0]);
  })));
console.log(
  `sockets: ${answers.filter((answer) => answer === "+PONG\r\n").length} of 100 pings answered ` +
    `over ${server.accepted} connections, ${server.mostConnections} at a time`,
);
await sockets.close();

// Clients of a library, with events for metrics. The server closes their connections midway.
let replaced = 0;
const clients = new ResourcePool<Redis>({
  async create() {
    const client = new Redis({
      port: restarting.port,
      host: "127.0.0.1",
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  },
  validate: (client) => client.status === "ready",
  destroy: (client) => client.disconnect(),
  min: 1,
  max: 3,
  onEvent(event) {
    if (event.type === "destroyed" && event.reason === "invalid") replaced++;
  },
});

const increment = () => clients.use((client) => client.incr("requests"));
await Promise.all(Array.from({ length: 50 }, increment));
restarting.cutAll();
await sleep(50);
const counts = await Promise.all(Array.from({ length: 50 }, increment));
console.log(
  `clients: counted to ${Math.max(...counts)} with ${clients.stats().created} clients made, ` +
    `${replaced} replaced after a restart, at most ${restarting.mostConnections} connected`,
);
await clients.close();

await sleep(50);
console.log(`left open at the servers: ${server.connections} and ${restarting.connections}`);
const isAsPromised = Math.max(...counts) === 100 && server.connections === 0 &&
  restarting.connections === 0 && server.mostConnections === 4 && restarting.mostConnections === 3;
process.exitCode = isAsPromised ? 0 : 1;
