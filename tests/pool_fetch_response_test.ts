/** Responses of `pool.fetch`: what the pool is told, what is returned, and how long the lease is held. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolFetchOptions } from "../src/pool/leased_fetch.ts";
import type { Ending } from "./fixtures/counting_pool.ts";
import { Fetching, until } from "./fixtures/fetching.ts";

const at = new Fetching();
const { assertEnded, assertHeld, fetchPath } = at;

describe("The response of pool.fetch", () => {
  before(() => at.start());
  after(() => at.stop());

  describe("tells the pool what the status means:", () => {
    const CASES: [string, Ending][] = [
      ["/429", { status: 429, retryAfterMs: 2000 }],
      ["/529", { status: 529 }],
      ["/500", { status: 500 }],
      ["/401", "ok"],
    ];
    for (const [path, ending] of CASES) {
      it(path, async () => {
        const response = await fetchPath(path);
        await response.text();
        await assertEnded(ending);
      });
    }

    it("even if the body of a failure is not read", async () => {
      const response = await fetchPath("/429");
      await assertEnded({ status: 429, retryAfterMs: 2000 });
      assert.equal(await response.text(), "slow down", "what was read ahead is not lost");
    });

    it("even if the body of a failure is cancelled", async () => {
      const response = await fetchPath("/500");
      await response.body!.cancel();
      await assertEnded({ status: 500 });
    });

    it("as classify says", async () => {
      const classify = ({ status }: Response) => status === 401 ? { status: 500 } : undefined;
      await (await fetchPath("/401", { classify })).text();
      await assertEnded({ status: 500 });
      await (await fetchPath("/500", { classify })).text();
      await assertEnded("ok");
    });
  });

  // A wrong result of `classify` was detected when the body ended, or by the finalizer, which ended
  // the process, and the lease was never given back.
  describe("refuses what is not a failure, at once:", () => {
    const CASES: [unknown, RegExp][] = [
      [5, /failure must be an object, not 5/],
      [{ status: "500" }, /status must be a number, not "500"/],
      [{ status: 500, retryAfterMs: NaN }, /retryAfterMs must be a number from 0 .* not NaN/],
    ];
    for (const [failure, message] of CASES) {
      it(String(message), async () => {
        const classify = () => failure as ReturnType<NonNullable<PoolFetchOptions["classify"]>>;
        await assert.rejects(fetchPath("/events", { classify }), message);
        await assertEnded("unknown");
        await until(() => at.server.inFlight === 0);
      });
    }

    it("and what is not a response", async () => {
      const fetch = () => Promise.resolve(5 as unknown as Response);
      await assert.rejects(fetchPath("/text", { fetch }), /options.fetch must return a Response/);
      await assertEnded("unknown");
    });
  });

  it("confirms its lease by good headers only", async () => {
    const good = await fetchPath("/events");
    assert.equal(at.pool.confirmed, 1);
    assertHeld();
    await good.body!.cancel();
    await (await fetchPath("/500")).text();
    assert.equal(at.pool.confirmed, 0);
  });

  describe("returns a response like fetch's:", () => {
    it("with url, redirected, type, status and headers", async () => {
      for (const path of ["/text", "/redirect", "/429", "/no-content"]) {
        const ours = await fetchPath(path);
        const theirs = await fetch(at.server.url(path));
        for (const name of ["url", "redirected", "type", "status", "statusText", "ok"] as const) {
          assert.equal(ours[name], theirs[name], `${name} of ${path}`);
        }
        const names = (response: Response) => [...response.headers.keys()].sort();
        assert.deepEqual(names(ours), names(theirs));
        assert.ok(ours instanceof Response);
        assert.equal(ours.bodyUsed, false);
        assert.equal(await ours.text(), await theirs.text());
      }
    });

    it("that can be cloned: the lease is back when the body was read", async () => {
      const response = await fetchPath("/ten-events");
      const clone = response.clone();
      assert.equal(clone.url, response.url);
      assert.equal(clone.clone().url, response.url);
      assertHeld();
      const [one, two] = await Promise.all([response.text(), clone.text()]);
      assert.equal(one, two);
      await assertEnded("ok");
    });

    it("that can be cloned: one clone is cancelled, the other read", async () => {
      const response = await fetchPath("/ten-events");
      const clone = response.clone();
      const cancelled = clone.body!.cancel();
      await sleep(5);
      assertHeld();
      await response.text();
      await cancelled;
      await assertEnded("ok");
    });

    it("that can be cloned: both are cancelled", async () => {
      const response = await fetchPath("/events");
      const clone = response.clone();
      await Promise.all([clone.body!.cancel(), response.body!.cancel()]);
      await assertEnded("unknown");
      await until(() => at.server.inFlight === 0);
    });

    it("whose body can be teed", async () => {
      const response = await fetchPath("/ten-events");
      const [one, two] = response.body!.tee();
      assertHeld();
      const texts = await Promise.all([new Response(one).text(), new Response(two).text()]);
      assert.equal(texts[0], texts[1]);
      await assertEnded("ok");
    });

    it("that a server can return", async () => {
      const upstream = await fetchPath("/ten-events");
      const passed = new Response(upstream.body, upstream);
      assert.match(await passed.text(), /data: 9/);
      await assertEnded("ok");
    });
  });
});
