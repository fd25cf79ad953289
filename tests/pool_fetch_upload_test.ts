/** Request bodies that are no `ReadableStream`: async iterables, such as the request of a server of `node:http`. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { leasedFetch, type PoolFetchOptions } from "../src/pool/leased_fetch.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { Fetching, until } from "./fixtures/fetching.ts";

const at = new Fetching();
before(() => at.start());
after(() => at.stop());

/** The arguments of `fetch` with a body that the types of some runtimes lack. */
const upload = (body: unknown): readonly [string, RequestInit] => [
  at.server.url("/echo"),
  { method: "POST", body: body as BodyInit },
];

async function sent(
  pool: CountingPool,
  body: unknown,
  options?: PoolFetchOptions,
): Promise<string> {
  return await (await leasedFetch(pool, () => upload(body), options)).text();
}

async function* parts(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<unknown> {
  for (const part of parts) {
    await sleep(1);
    yield part;
  }
}

describe("pool.fetch with an async iterable as body", () => {
  it("sends bytes and texts as they come", async () => {
    const pool = new CountingPool();
    assert.equal(
      await sent(pool, parts(new TextEncoder().encode("bytes, "), "text ä")),
      "bytes, text ä",
    );
    assert.equal(await sent(pool, Readable.from(["a ", Buffer.from("readable")])), "a readable");
    assert.deepEqual(pool.endings, ["ok", "ok"]);
  });

  it("does not take its delay for one of the upstream", async () => {
    const pool = new CountingPool();
    const slow = async function* () {
      for (let i = 0; i < 3; i++) {
        await sleep(80);
        yield "part ";
      }
    };
    assert.equal(await sent(pool, slow(), { headersTimeoutMs: 60 }), "part part part ");
  });

  it("does not take its failure for one of the upstream", async () => {
    const pool = new CountingPool();
    const own = new Error("the caller's own iterable broke");
    const breaks = async function* () {
      yield* parts("a part");
      throw own;
    };
    await assert.rejects(sent(pool, breaks()), (error) => error === own);
    assert.deepEqual(pool.endings, ["unknown"]);
  });

  it("does not mind its failure once the upstream has stopped reading it", async () => {
    const pool = new CountingPool();
    let fail = (_: Error): void => {};
    const stalls: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise((_, reject) => fail = reject) }),
    };
    const answered = new Response("an early answer", { headers: { "content-type": "text/plain" } });
    const response = await leasedFetch(pool, () => upload(stalls), {
      async fetch(_, { body }) {
        const reader = (body as ReadableStream).getReader();
        void reader.read().catch(() => {});
        await sleep(1);
        await reader.cancel();
        return answered;
      },
    });
    fail(new Error("the client left"));
    await sleep(5);
    assert.equal(await response.text(), "an early answer");
    assert.deepEqual(pool.endings, ["ok"]);
  });

  it("refuses a stream of Node that was read before", async () => {
    const pool = new CountingPool();
    const body = Readable.from(["once"]);
    assert.equal(await sent(pool, body), "once");
    await assert.rejects(
      sent(pool, body),
      /^TypeError: makeRequest returned a body that was used before/,
    );
    assert.deepEqual(pool.endings, ["ok", "unknown"]);
  });

  it("passes a request of node:http on, and a client that leaves is no failure", async () => {
    const pool = new CountingPool();
    const errors: unknown[] = [];
    const server = createServer((incoming: IncomingMessage, response) => {
      sent(pool, incoming).then((text) => response.end(text), (error) => errors.push(error));
    }).listen(0, "127.0.0.1").unref();
    await until(() => server.listening);
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "Hi." });
    assert.equal(await answer.text(), "Hi.");
    const client = request({ port, host: "127.0.0.1", method: "POST" }).on("error", () => {});
    client.write("half of it");
    await until(() => pool.granted === 2);
    client.destroy();
    await until(() => pool.endings.length === 2);
    assert.deepEqual(pool.endings, ["ok", "unknown"]);
    assert.equal(errors.length, 1);
    server.close();
    server.closeAllConnections();
  });
});
