/** Tests of the faults that tests of shared limits cause. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { FakeTime, NO_FAKED_SERVER } from "./support/fake_time.ts";
import { Link } from "./support/link.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";
import { evalCommand } from "./support/runtime.ts";

function client(port: number): Redis {
  const redis = new Redis({ port, maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  redis.on("error", () => {});
  return redis;
}

describe("a link", { skip: NO_STORE }, () => {
  it("delays, and holds back what is not cut", async () => {
    await using server = await StoreServer.start();
    await using link = await Link.open(server.port);
    const redis = client(link.port);
    await redis.ping();
    link.delayMs = 50;
    const began = performance.now();
    await redis.ping();
    const took = performance.now() - began;
    assert.ok(took >= 99, `${took} ms`);
    link.delayMs = 0;

    link.stall("answers");
    let isAnswered = false;
    const answer = redis.incr("a").finally(() => isAnswered = true);
    await sleep(200);
    assert.equal(isAnswered, false);
    assert.equal(await server.command("get", "a"), "1");

    link.stall("all");
    const later = redis.incr("a");
    await sleep(200);
    assert.equal(await server.command("get", "a"), "1");
    link.stall("nothing");
    assert.deepEqual(await Promise.all([answer, later]), [1, 2]);

    link.stall("all");
    const lost = redis.incr("a");
    await sleep(20);
    link.cut();
    await assert.rejects(lost);
    link.stall("nothing");
    assert.equal(await server.command("get", "a"), "2");
    redis.disconnect();
  });

  it("repeats what is lost, and what follows waits", async () => {
    await using server = await StoreServer.start();
    await using link = await Link.open(server.port);
    const redis = client(link.port);
    await redis.ping();
    link.lostPerMille = 1000;
    link.repeatMs = 60;
    const began = performance.now();
    assert.deepEqual(await Promise.all([redis.incr("a"), redis.incr("a")]), [1, 2]);
    assert.ok(performance.now() - began >= 119);
    redis.disconnect();
  });
});

describe("a clock that is changed", { skip: NO_FAKED_SERVER }, () => {
  it("steps that of a server", async () => {
    using clock = new FakeTime("+3600");
    const environment = clock.environment("wall", true);
    await using server = await StoreServer.start({ kind: "redis", environment });
    const ahead = async () =>
      Number((await server.command("time")).split("\n")[0]) - Date.now() / 1e3;
    assert.ok(Math.abs(await ahead() - 3600) < 5);
    clock.set("-3600");
    assert.ok(Math.abs(await ahead() + 3600) < 5);
  });

  it("slows those of a process", () => {
    using clock = new FakeTime("+0 x0.5");
    const program = `
      const began = performance.now();
      setTimeout(() => console.log(performance.now() - began), 200);`;
    const [command, ...args] = evalCommand(program);
    const began = performance.now();
    const { stdout } = spawnSync(command!, args, {
      encoding: "utf8",
      env: { ...process.env, ...clock.environment("all"), NO_COLOR: "1" },
    });
    const real = performance.now() - began;
    assert.ok(Number(stdout) < 0.75 * real, `${stdout} of ${real} ms`);
  });
});
