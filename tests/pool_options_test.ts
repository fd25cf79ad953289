/** The options of a pool: mismatches under one name, and wrong values. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Lease, type PoolOptions, SluiceError, UpstreamPool } from "../mod.ts";
import { open } from "./fixtures/pools.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

describe("the options of a pool", () => {
  it("refuses other options under the same name, and names the difference", () => {
    const upstreams = [{ id: "a", maxInFlight: 1 }];
    using pool = open(upstreams);
    const { name } = pool;
    using same = new UpstreamPool({ name, upstreams });
    assert.equal(same.stats().members, 2);
    const mismatch = (options: Partial<PoolOptions>, message: RegExp): void => {
      assert.throws(
        () => new UpstreamPool({ name, upstreams, ...options }),
        (error) => {
          assert.ok(error instanceof SluiceError);
          assert.equal(error.code, "SLUICE_POOL_MISMATCH");
          assert.match(error.message, message);
          return true;
        },
      );
    };
    mismatch({ queue: { max: 7 } }, /queue\.max is 1000 there and 7 here/);
    mismatch({ leaseTtlMs: 5 }, /leaseTtlMs is 600000 there and 5 here/);
    mismatch({ upstreams: [{ id: "b", maxInFlight: 1 }] }, /upstreams/);
  });

  it("refuses wrong options", async () => {
    const upstream = { id: "a", maxInFlight: 1 };
    const cases: [unknown, RegExp][] = [
      [undefined, /TypeError: options must be an object, not undefined/],
      [{ name: 1, upstreams: [] }, /TypeError: name must be a string, not 1/],
      [{ name: "", upstreams: [] }, /RangeError: name must be 1 to 255 bytes/],
      [{ name: "x" }, /TypeError: upstreams must be an array/],
      [{ name: "x", upstreams: [1] }, /TypeError: upstreams\[0\] must be an object, not 1/],
      [{ name: "x", upstreams: [{ id: "a" }] }, /upstreams\[0\]\.maxInFlight must be a number/],
      [
        { name: "x", upstreams: [{ ...upstream, maxInFlight: 0 }] },
        /must be an integer from 1 to 131072, not 0/,
      ],
      [
        { name: "x", upstreams: [{ ...upstream, maxInFlight: 1.5 }] },
        /must be an integer from 1 to 131072, not 1\.5/,
      ],
      [
        { name: "x", upstreams: [{ ...upstream, weight: NaN }] },
        /upstreams\[0\]\.weight .* not NaN/,
      ],
      [
        { name: "x", upstreams: [upstream, upstream] },
        /upstreams\[1\]\.id must be unique, and "a" is not/,
      ],
      [{ name: "x", upstreams: [], queue: { max: -1 } }, /queue\.max must be an integer from 0/],
      [
        { name: "x", upstreams: [], health: { maxEjected: 2 } },
        /health\.maxEjected must be a number from 0 to 1/,
      ],
      [{ name: "x", upstreams: [], adaptive: 3 }, /adaptive must be an object, not 3/],
      [{ name: "x", upstreams: [], onEvent: 3 }, /onEvent must be a function, not 3/],
    ];
    for (const [options, message] of cases) {
      assert.throws(() => new UpstreamPool(any(options)), (error) => message.test(String(error)));
    }
    using pool = open([upstream]);
    await assert.rejects(pool.acquire({ priority: any("1") }), TypeError);
    await assert.rejects(pool.acquire({ priority: 1001 }), RangeError);
    await assert.rejects(pool.acquire({ timeoutMs: -1 }), RangeError);
    await assert.rejects(pool.acquire({ signal: any({}) }), /signal must be an AbortSignal/);
    await assert.rejects(pool.acquire(any(null)), TypeError);
    assert.throws(() => pool.tryAcquire({ prefer: any(1) }), /prefer must be a string, not 1/);
    assert.throws(() => pool.acquireBatch(-1), RangeError);
    for (const value of [NaN, Infinity, -1, 0]) {
      await assert.rejects(
        pool.acquire({ priority: value === 0 || value === -1 ? NaN : value }),
        RangeError,
      );
      assert.throws(() => pool.setWeight("a", value), RangeError);
      assert.throws(() => pool.setMaxInFlight(value), RangeError);
      assert.throws(() => pool.updateUpstream("a", { maxInFlight: value }), RangeError);
    }
    assert.throws(() => pool.updateUpstream("nowhere", {}), { code: "SLUICE_UNKNOWN_UPSTREAM" });
    for (const options of [null, { signal: {} }]) {
      await assert.rejects(pool.drain(any(options)), TypeError);
      await assert.rejects(pool.close(any(options)), TypeError);
      await assert.rejects(pool.drainUpstream("a", any(options)), TypeError);
    }
    assert.equal(pool.stats().upstreams[0]!.state, "healthy", "and nothing drains");
    assert.throws(() => pool.releaseBatch(any([1])), /leases\[0\] must be a Lease, not 1/);
    const lease = pool.tryAcquire()!;
    assert.throws(() => lease.fail({ status: 9 }), RangeError);
    assert.throws(() => lease.fail({ retryAfterMs: any("1") }), TypeError);
    assert.throws(() => lease.release(any("good")), TypeError);
    assert.equal(lease.release(), "released", "a refused call changed nothing");
    assert.equal(new Lease(any({ settle: () => "expired" }), 5, "x").release(), "expired");
  });
});
