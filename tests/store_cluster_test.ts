import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreCluster } from "./support/store_cluster.ts";
import { NO_STORE } from "./support/store_server.ts";

describe("a cluster for tests", { skip: NO_STORE }, () => {
  it("serves all slots, and replaces a master that was killed", async () => {
    await using cluster = await StoreCluster.start();
    const key = "{tenant}:a";
    const first = await cluster.masterOf(key);
    await cluster.nodes[first]!.command("set", key, "1");
    assert.equal(await cluster.nodes[first]!.command("wait", "1", "1000"), "1");
    await cluster.nodes[first]!.kill();
    let second = first;
    for (const end = performance.now() + 20_000; second === first; await sleep(50)) {
      assert.ok(performance.now() < end, "no replica took over");
      second = await cluster.masterOf(key).catch(() => first);
    }
    assert.equal(second, first + 3);
    assert.equal(await cluster.nodes[second]!.command("get", key), "1");
  });
});
