/** A lease is held from before the request until the body ends, whatever ends it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { leasedFetch } from "../src/pool/leased_fetch.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { Fetching, partsOf, until } from "./fixtures/fetching.ts";

const at = new Fetching();
const { assertEnded, assertHeld, fetchPath } = at;

describe("pool.fetch", () => {
  before(() => at.start());
  after(() => at.stop());

  describe("holds the lease until the body ends:", () => {
    it("at its end", async () => {
      const response = await fetchPath("/ten-events");
      assertHeld();
      const reader = response.body!.getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        assertHeld();
        text += new TextDecoder().decode(value);
      }
      assert.equal(text, Array.from({ length: 10 }, (_, i) => `data: ${i}\n\n`).join(""));
      await assertEnded("ok");
    });

    for (const read of ["text", "arrayBuffer", "bytes", "blob"] as const) {
      it(`read by ${read}()`, async () => {
        const response = await fetchPath("/large");
        assertHeld();
        const whole = await response[read]();
        const length = typeof whole === "string"
          ? whole.length
          : "size" in whole
          ? whole.size
          : whole.byteLength;
        assert.equal(length, 64 * 65_536);
        await assertEnded("ok");
      });
    }

    it("read by for await and by pipeTo()", async () => {
      const response = await fetchPath("/ten-events");
      let parts = 0;
      for await (const _ of partsOf(response)) parts++;
      assert.ok(parts > 0);
      await assertEnded("ok");
      const piped = await fetchPath("/ten-events");
      await piped.body!.pipeTo(new WritableStream());
      await assertEnded("ok");
    });

    it("cut off by the upstream", async () => {
      const response = await fetchPath("/cut");
      assertHeld();
      await assert.rejects(response.text());
      await assertEnded({});
    });

    it("cancelled", async () => {
      const response = await fetchPath("/events");
      const reader = response.body!.getReader();
      await reader.read();
      assertHeld();
      await reader.cancel("enough");
      await assertEnded("unknown");
      await until(() => at.server.inFlight === 0);
    });

    it("ended by break in for await", async () => {
      const response = await fetchPath("/events");
      for await (const _ of partsOf(response)) break;
      await assertEnded("unknown");
      await until(() => at.server.inFlight === 0);
    });

    it("aborted during a read", async () => {
      const controller = new AbortController();
      const response = await fetchPath("/stalls", { signal: controller.signal });
      const reader = response.body!.getReader();
      await reader.read();
      const pending = reader.read();
      assertHeld();
      controller.abort(new Error("client left"));
      await assert.rejects(pending, /client left/);
      await assertEnded("unknown");
      await until(() => at.server.inFlight === 0);
    });

    it("aborted while it is not read", async () => {
      const controller = new AbortController();
      const response = await fetchPath("/events", { signal: controller.signal });
      assertHeld();
      controller.abort();
      await assertEnded("unknown");
      await assert.rejects(response.text());
      await until(() => at.server.inFlight === 0);
    });

    it("aborted by the request's own signal", async () => {
      const controller = new AbortController();
      const other = new AbortController();
      const options = { signal: other.signal };
      const response = await fetchPath("/events", options, { signal: controller.signal });
      assertHeld();
      controller.abort();
      await assertEnded("unknown");
      await assert.rejects(response.text());
    });

    it("timed out by AbortSignal.timeout, which is the upstream's fault", async () => {
      const response = await fetchPath("/stalls", { signal: AbortSignal.timeout(50) });
      await assert.rejects(response.text(), { name: "TimeoutError" });
      await assertEnded({ timedOut: true });
    });

    it("silent for longer than idleTimeoutMs", async () => {
      const response = await fetchPath("/stalls", { idleTimeoutMs: 50 });
      await assert.rejects(response.text(), { name: "TimeoutError" });
      await assertEnded({ timedOut: true });
      await until(() => at.server.inFlight === 0);
      const lively = await fetchPath("/ten-events", { idleTimeoutMs: 2000 });
      await lively.text();
      await assertEnded("ok");
    });
  });

  describe("gives the lease back without a body:", () => {
    for (const path of ["/no-content", "/not-modified"]) {
      it(path, async () => {
        const response = await fetchPath(path);
        assert.equal(response.body, null);
        await assertEnded("ok");
      });
    }

    it("HEAD", async () => {
      const response = await fetchPath("/text", {}, { method: "HEAD" });
      assert.equal(response.headers.get("x-a"), "b");
      await assertEnded("ok");
    });

    it("a body of no bytes, read or not", async () => {
      await fetchPath("/empty");
      await assertEnded("ok");
    });

    it("aborted before the headers", async () => {
      const controller = new AbortController();
      const pending = fetchPath("/silent", { signal: controller.signal });
      await until(() => at.server.inFlight === 1);
      assertHeld();
      controller.abort(new Error("client left"));
      await assert.rejects(pending, /client left/);
      await assertEnded("unknown");
      await until(() => at.server.inFlight === 0);
    });

    it("aborted before it began", async () => {
      await assert.rejects(fetchPath("/text", { signal: AbortSignal.abort() }), {
        name: "AbortError",
      });
      assert.equal(at.pool.granted, 0);
      const own = { signal: AbortSignal.abort() };
      await assert.rejects(fetchPath("/text", {}, own), { name: "AbortError" });
      await assertEnded("unknown");
    });

    it("aborted while queued", async () => {
      const pool = new CountingPool({ cap: 1 });
      const make = () => at.server.url("/ten-events");
      const first = await leasedFetch(pool, make);
      const controller = new AbortController();
      const second = leasedFetch(pool, make, { signal: controller.signal });
      await sleep(10);
      controller.abort(new Error("gave up"));
      await assert.rejects(second, /gave up/);
      await first.text();
      assert.deepEqual(pool.endings, ["ok"]);
    });

    it("disconnected before the headers", async () => {
      await assert.rejects(fetchPath("/hangs-up", {}, { method: "POST", body: "x" }));
      await assertEnded({});
    });

    it("no server on the port", async () => {
      const gone = await FlakyServer.start();
      const url = gone.url("/text");
      await gone[Symbol.asyncDispose]();
      at.pool = new CountingPool();
      await assert.rejects(leasedFetch(at.pool, () => url));
      await assertEnded({});
    });

    it("silent for longer than headersTimeoutMs", async () => {
      await assert.rejects(fetchPath("/silent", { headersTimeoutMs: 50 }), {
        name: "TimeoutError",
        message: "only sent nothing of the headers of the response for 50 ms",
      });
      await assertEnded({ timedOut: true });
      await until(() => at.server.inFlight === 0);
    });

    it("makeRequest throws, or rejects, or init throws", async () => {
      const fail = () => {
        throw new Error("no key");
      };
      at.pool = new CountingPool();
      await assert.rejects(leasedFetch(at.pool, fail), /no key/);
      await assert.rejects(
        leasedFetch(at.pool, () => Promise.reject(new Error("no key"))),
        /no key/,
      );
      await assert.rejects(
        leasedFetch(at.pool, () => at.server.url("/text"), { init: fail }),
        /no key/,
      );
      await assertEnded("unknown", "unknown", "unknown");
    });

    it("classify throws", async () => {
      const classify = () => {
        throw new Error("no class");
      };
      await assert.rejects(fetchPath("/events", { classify }), /no class/);
      await assertEnded("unknown");
      await until(() => at.server.inFlight === 0);
    });
  });
});
