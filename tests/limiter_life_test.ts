/** The lifetime of limiters: opened in every request, never closed, left to the garbage collector. */
import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { describe, it } from "node:test";
import {
  concurrency,
  quota,
  rate,
  RateLimiter,
  reserveAll,
  Tokenizer,
  VirtualClock,
} from "../mod.ts";
import { collectUntil } from "./fixtures/garbage.ts";

const run = crypto.randomUUID();
const limits = { r: quota({ limit: 100_000, per: "year" }) };

describe("a limiter of one name", () => {
  it("can be made anew for every request", () => {
    const name = `life: ${run} every request`;
    for (let i = 0; i < 70_000; i++) {
      assert.equal(new RateLimiter({ name, limits }).take("k").allowed, true);
    }
    using last = new RateLimiter({ name, limits });
    assert.equal(last.inspect("k").r.used, 70_000);
  });

  it("keeps its counts when the collector has all its objects", async () => {
    const name = `life: ${run} collected`;
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    (() => {
      for (let i = 0; i < 3; i++) {
        const limiter = new RateLimiter({ name, limits });
        limiter.take("k");
        registry.register(limiter, undefined);
      }
    })();
    assert.ok(await collectUntil(() => collected === 3));
    using again = new RateLimiter({ name, limits });
    assert.equal(again.inspect("k").r.used, 3);
  });

  it("reports other limits as they were written, also infinite ones", () => {
    const name = `life: ${run} endless`;
    const limits = {
      r: rate({ limit: Infinity, per: "1.5m", burst: 5 }),
      q: quota({ limit: Infinity, per: "day" }),
      c: concurrency({ limit: Infinity }),
    };
    using _limiter = new RateLimiter({ name, limits });
    for (
      const [limit, words, other] of [
        ["r", "Infinity requests per 90s, burst 5", rate({ limit: 5, per: "1.5m" })],
        ["q", "a quota of Infinity requests per day", quota({ limit: 5, per: "day" })],
        ["c", "Infinity concurrent at a time", concurrency({ limit: 5 })],
      ] as const
    ) {
      assert.throws(
        () => new RateLimiter({ name, limits: { ...limits, [limit]: other } }),
        (error: Error) => error.message.includes(`it has \`${limit}: ${words}\``),
        words,
      );
    }
  });

  it("can have other limits once all its objects are gone, and not before", async () => {
    const name = `life: ${run} changed`;
    const other = { r: rate({ limit: 1, per: "hour" }) };
    const open = () => new RateLimiter({ name, limits: other }).close();
    (() => {
      const limiter = new RateLimiter({ name, limits: { r: rate({ limit: 600, per: "minute" }) } });
      assert.throws(open, {
        code: "SLUICE_LIMITER_MISMATCH",
        message: /it has `r: 600 requests per minute`, not `r: 1 requests per hour`/,
      });
      limiter.take("k");
    })();
    const opens = () => {
      try {
        open();
        return true;
      } catch {
        return false;
      }
    };
    assert.ok(await collectUntil(opens));
  });

  it("stays open until its last object is closed, and knows keys of closed ones", () => {
    const options = { name: `life: ${run} two`, limits };
    const one = new RateLimiter(options);
    const two = new RateLimiter(options);
    const key = one.key("k");
    one.take(key);
    one.close();
    one.close();
    assert.throws(() => one.take(key), { code: "SLUICE_DISPOSED" });
    two.take(key);
    assert.equal(two.inspect("k").r.used, 2);
    two.close();
    using three = new RateLimiter(options);
    three.take(key);
    assert.ok(
      three.inspect("k").r.used <= 1,
      "the counts are gone, and the name of the key is not",
    );
  });
});

describe("a limiter without a name", () => {
  it("is its object's alone", () => {
    const clock = new VirtualClock();
    using one = new RateLimiter({ limits, clock });
    using two = new RateLimiter({ limits, clock });
    assert.notEqual(one.name, two.name);
    one.take("k");
    assert.equal(two.inspect("k").r.used, 0);
    const reserved = reserveAll([{ limiter: one, key: "k" }, { limiter: two, key: "k" }]);
    assert.ok(reserved.allowed);
    reserved.settle();
    assert.deepEqual([one.inspect("k").r.used, two.inspect("k").r.used], [2, 1]);
  });

  it("is closed when its object is collected", async () => {
    const name = (() => {
      const limiter = new RateLimiter({ limits });
      limiter.take("k");
      return limiter.name;
    })();
    const isGone = () => {
      // Opens the same limiter as long as that exists.
      using again = new RateLimiter({ name, limits });
      return again.inspect("k").r.used === 0;
    };
    assert.equal(isGone(), false);
    assert.ok(await collectUntil(isGone));
  });

  it("can be open more often than 16 bits count", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const counters = [];
    // The collector has not run yet.
    for (let i = 0; i < 70_000; i++) counters.push(tokenizer.counter());
    assert.equal(counters[69_999]!.push("Hello, world!"), 4);
    assert.equal(counters[0]!.push("Hello"), 1);
    for (const counter of counters) counter.close();
  });
});

describe("reservations that are forgotten", () => {
  it("are settled in full and reported, with the stack that made them", async () => {
    using limiter = new RateLimiter({
      name: `life: ${run} leaks`,
      limits: { live: concurrency({ limit: 2 }), ...limits },
      trackLeaks: true,
    });
    const warned = once(process, "warning") as Promise<[Error & { code?: string }]>;
    function forgetful(): void {
      assert.equal(limiter.reserve("ada", { requests: 7 }).allowed, true);
    }
    forgetful();
    const kept = limiter.reserve("ada");
    const ended = limiter.reserve("bob");
    assert.ok(ended.allowed && kept.allowed);
    ended.cancel();
    assert.equal(limiter.reserve("ada").allowed, false, "both places are held");
    assert.ok(await collectUntil(() => limiter.inspect("ada").live.outstanding === 1));
    const [warning] = await warned;
    assert.equal(warning.code, "SLUICE_RESERVATION_LEAKED");
    assert.equal(warning.name, "SluiceWarning");
    assert.match(
      warning.message,
      /A reservation of "ada" at the limiter "life: .*" was never settled/,
    );
    assert.match(warning.message, /forgetful/);
    const { r } = limiter.inspect("ada");
    assert.deepEqual([r.used, r.outstanding], [7, 1]);
    kept.settle();
  });
});
