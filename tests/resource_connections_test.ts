/** Real resources: TCP sockets, and clients of a library. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { ResourcePool } from "../src/pool/resource_pool.ts";
import { RespServer } from "./fixtures/resp_server.ts";
import { until } from "./fixtures/things.ts";

describe("ResourcePool of real connections", () => {
  it("lends TCP sockets, and replaces those that were cut off", async () => {
    await using server = await RespServer.start();
    await using pool = new ResourcePool<Socket>({
      async create(signal) {
        const socket = connect({ port: server.port, host: "127.0.0.1" });
        socket.on("error", () => {});
        await once(socket, "connect", { signal });
        return socket;
      },
      validate: (socket) => !socket.destroyed && socket.writable,
      destroy: (socket) => void socket.destroy(),
      max: 3,
    });
    const ping = () =>
      pool.use(async (socket) => {
        socket.write("*1\r\n$4\r\nPING\r\n");
        const [answer] = await once(socket, "data");
        return String(answer);
      });
    const answers = await Promise.all(Array.from({ length: 50 }, ping));
    assert.deepEqual(new Set(answers), new Set(["+PONG\r\n"]));
    assert.equal(server.mostConnections, 3);
    assert.equal(server.accepted, 3);
    server.cutAll();
    await until(() => server.connections === 0);
    await sleep(20);
    assert.equal(await ping(), "+PONG\r\n");
    await pool.close();
    await until(() => server.connections === 0);
  });

  it("lends clients of a library, one user at a time", async () => {
    await using server = await RespServer.start();
    await using pool = new ResourcePool<Redis>({
      async create() {
        const client = new Redis({
          port: server.port,
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
      max: 2,
    });
    const results = await Promise.all(
      Array.from({ length: 40 }, () => pool.use((client) => client.incr("n"))),
    );
    assert.deepEqual(results.sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i + 1));
    assert.equal(server.mostConnections, 2);
    server.cutAll();
    await until(() => server.connections === 0);
    await sleep(20);
    assert.equal(await pool.use((client) => client.get("n")), "40");
  });

  it("passes on a refused connection", async () => {
    const server = await RespServer.start();
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await using pool = new ResourcePool<Socket>({
      async create(signal) {
        const socket = connect({ port, host: "127.0.0.1" });
        await once(socket, "connect", { signal });
        return socket;
      },
      max: 1,
    });
    await assert.rejects(pool.acquire(), { code: "ECONNREFUSED" });
    assert.equal(pool.stats().inUse, 0);
  });
});
