/** `pool.fetch` renews the reservation of a request for as long as the request lasts. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { concurrency, type Limits, rate, RateLimiter, type Reservation } from "../mod.ts";
import { leasedFetch, type PoolFetchOptions } from "../src/pool/leased_fetch.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { Fetching, until } from "./fixtures/fetching.ts";

const at = new Fetching();
const TTL_MS = 300;

/** A limiter whose reservations are short, and one of them. */
function reserved(): { limiter: RateLimiter<Limits<"tpm" | "live">>; call: Reservation } {
  const limiter = new RateLimiter({
    limits: {
      tpm: rate({ unit: "tokens", limit: 1000, per: "day" }),
      live: concurrency({ limit: 1 }),
    },
    reservationTtlMs: TTL_MS,
  });
  const call = limiter.reserve("k", { tokens: 100 });
  assert.ok(call.allowed);
  return { limiter, call };
}

/** Something that counts its renewals. */
function counted(ttlMs: number): { times: number; readonly ttlMs: number; renew(): boolean } {
  return {
    times: 0,
    ttlMs,
    renew() {
      return ++this.times > 0;
    },
  };
}

/** Reads the body for a number of milliseconds. */
async function readFor(response: Response, milliseconds: number): Promise<void> {
  const reader = response.body!.getReader();
  const end = performance.now() + milliseconds;
  while (performance.now() < end) await reader.read();
  await reader.cancel();
}

describe("The reservation of pool.fetch", () => {
  before(() => at.start());
  after(() => at.stop());

  it("lasts as long as a stream, and is settled by the caller", async () => {
    const { limiter, call } = reserved();
    const pool = new CountingPool();
    const response = await leasedFetch(pool, () => at.server.url("/events"), { reservation: call });
    await readFor(response, 4 * TTL_MS);
    const { tpm, live } = limiter.inspect("k");
    assert.deepEqual([tpm.outstanding, live.outstanding, pool.inFlight], [100, 1, 0]);
    assert.equal(limiter.stats().expired, 0);
    assert.equal(call.isOpen, true);
    call.settle({ tokens: 7 });
    assert.ok(limiter.inspect("k").tpm.used <= 7);
    assert.equal(limiter.inspect("k").live.outstanding, 0);
    limiter.close();
  });

  it("expires in its own time if it is not settled after the end", async () => {
    const { limiter, call } = reserved();
    const response = await leasedFetch(new CountingPool(), () => at.server.url("/text"), {
      reservation: call,
    });
    await response.text();
    await until(() => limiter.inspect("k").live.outstanding === 0);
    assert.equal(limiter.stats().expired, 1);
    limiter.close();
  });

  it("lasts while the upstream is silent, and while the body is not read", async () => {
    const { limiter, call } = reserved();
    const pool = new CountingPool();
    const options = { reservation: call };
    const response = await leasedFetch(pool, () => at.server.url("/stalls"), options);
    await sleep(2 * TTL_MS);
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    await sleep(2 * TTL_MS);
    assert.equal(limiter.inspect("k").live.outstanding, 1);
    assert.equal(call.renew(), true);
    await reader.cancel();
    await pending;
    call.cancel();
    limiter.close();
  });

  it("lasts while queued and while the request is made, whatever the lease's time is", async () => {
    const { limiter, call } = reserved();
    const pool = new CountingPool({ cap: 1, leaseTtlMs: Infinity });
    const held = await pool.acquire({});
    const fetched = leasedFetch(pool, async () => {
      await sleep(2 * TTL_MS);
      return at.server.url("/text");
    }, { reservation: call });
    await sleep(2 * TTL_MS);
    held.release();
    await (await fetched).text();
    assert.equal(limiter.stats().expired, 0);
    call.settle();
    limiter.close();
  });

  it("is not renewed after any end", async () => {
    const ends: Record<string, (options: PoolFetchOptions, abort: () => void) => Promise<unknown>> =
      {
        "read": async (options) => await (await fetchPath("/text", options)).text(),
        "no body": (options) => fetchPath("/no-content", options),
        "cancelled": async (options) => await (await fetchPath("/events", options)).body!.cancel(),
        "aborted": async (options, abort) => {
          const response = await fetchPath("/events", options);
          abort();
          await assert.rejects(response.text());
        },
        "the network": (options) =>
          assert.rejects(fetchPath("/hangs-up", options, { method: "POST", body: "x" })),
        "aborted in line": async (options, abort) => {
          const pool = new CountingPool({ cap: 0 });
          const waiting = leasedFetch(pool, () => "http://unused", options);
          abort();
          await assert.rejects(waiting);
        },
        "no request": (options) =>
          assert.rejects(leasedFetch(new CountingPool(), () => "no url", options)),
      };
    const { fetchPath } = at;
    for (const [name, end] of Object.entries(ends)) {
      const reservation = counted(15);
      const controller = new AbortController();
      await end({ reservation, signal: controller.signal }, () => controller.abort());
      assert.ok(reservation.times >= 1, name);
      const { times } = reservation;
      await sleep(50);
      assert.equal(reservation.times, times, name);
    }
  });

  it("is not renewed after it expired, and never throws into a timer", async () => {
    for (
      const renew of [
        () => false,
        () => {
          throw new Error("in a timer");
        },
      ]
    ) {
      let times = 0;
      const reservation = { ttlMs: 15, renew: () => ++times === 1 || renew() };
      const response = await at.fetchPath("/ten-events", { reservation });
      assert.equal((await response.text()).split("data").length, 11);
      assert.equal(times, 2);
    }
  });

  it("is checked before a lease is acquired", async () => {
    const pool = new CountingPool();
    const bad = (reservation: unknown) =>
      leasedFetch(pool, () => "http://x", { reservation } as PoolFetchOptions);
    const message =
      /^options\.reservation must be a Reservation, or have ttlMs and renew\(\), not /;
    for (const it of [null, 1, {}, { ttlMs: 5 }, { allowed: false }, { renew: () => true }]) {
      await assert.rejects(bad(it), { name: "TypeError", message });
    }
    for (const ttlMs of [0, -1, NaN]) {
      await assert.rejects(bad({ ttlMs, renew: () => true }), { name: "RangeError" });
    }
    assert.equal(pool.granted, 0);
  });

  it("has its time to live", () => {
    const { limiter, call } = reserved();
    assert.equal(call.ttlMs, TTL_MS);
    call.cancel();
    const other = limiter.reserve("k", { tokens: 1 }, { ttlMs: 5000 });
    assert.ok(other.allowed);
    assert.equal(other.ttlMs, 5000);
    other.cancel();
    limiter.close();
  });
});
