/** Two pool objects of one name, as two Workers have them: what one changes, the other must see. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PoolEvent, type PoolOptions, UpstreamPool } from "../mod.ts";

/** Two objects of one pool. */
function two(
  ids: string[],
  first: Partial<PoolOptions> = {},
  shared: Partial<PoolOptions> = {},
): [UpstreamPool, UpstreamPool] {
  const upstreams = ids.map((id) => ({ id, maxInFlight: 9 }));
  const options = { name: crypto.randomUUID(), upstreams, ...shared };
  return [new UpstreamPool({ ...options, ...first }), new UpstreamPool(options)];
}

describe("two objects of one pool", () => {
  it("call an upstream by its name, whatever its place was called before", async () => {
    const events: PoolEvent[] = [];
    const [mine, theirs] = two(["a", "b"], { onEvent: (event) => void events.push(event) }, {
      health: { failures: 1, maxEjected: 1 },
    });
    using _ = mine;
    using __ = theirs;
    mine.tryAcquire({ prefer: "a" })!.release();
    theirs.removeUpstream("a");
    theirs.addUpstream({ id: "x", maxInFlight: 9 });
    theirs.addUpstream({ id: "y", maxInFlight: 9 });
    theirs.tryAcquire({ prefer: "y" })!.fail();
    for (let i = 0; i < 100 && events.length === 0; i++) await sleep(10);
    assert.deepEqual(events.map((event) => "upstream" in event && event.upstream), ["y"]);
    theirs.removeUpstream("b");
    const names = Array.from({ length: 3 }, () => mine.tryAcquire()!.upstream);
    assert.deepEqual(names, ["x", "x", "x"]);
    assert.deepEqual(mine.stats().upstreams.map(({ id }) => id).sort(), ["x", "y"]);
  });

  it("tell of an upstream by the name that it had when it happened", async () => {
    const events: PoolEvent[] = [];
    const [mine, theirs] = two(["a"], { onEvent: (event) => void events.push(event) }, {
      health: { failures: 1, maxEjected: 1 },
    });
    using _ = mine;
    using __ = theirs;
    theirs.tryAcquire()!.fail();
    theirs.removeUpstream("a");
    theirs.addUpstream({ id: "later", maxInFlight: 9 });
    theirs.tryAcquire()!.fail({ retryAfterMs: 50 });
    for (let i = 0; i < 100 && events.length < 2; i++) await sleep(10);
    assert.deepEqual(events.slice(0, 2).map((event) => "upstream" in event && event.upstream), [
      "a",
      "later",
    ]);
  });

  it("keep names apart that are bytes of many lengths", () => {
    const ids = ["ä", "日本", "plain", "😀", "x".repeat(255)];
    const [mine, theirs] = two(ids);
    using _ = mine;
    using __ = theirs;
    assert.deepEqual(theirs.stats().upstreams.map(({ id }) => id), ids);
    for (const prefer of ids) assert.equal(mine.tryAcquire({ prefer })?.upstream, prefer);
  });
});
