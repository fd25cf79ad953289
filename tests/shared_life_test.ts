/** How a process leaves a shared limit: its credit is back at once if it says goodbye. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { rate, RateLimiter } from "../mod.ts";
import { valkey } from "../src/shared/mod.ts";
import { collectUntil } from "./fixtures/garbage.ts";
import { CLIENTS, eventually, fields, Shared } from "./support/shared.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";
import { runOptions } from "./support/runtime.ts";

const run = crypto.randomUUID();

/** Starts a process that holds something of the key "k", and waits until it does. */
async function start(...args: string[]): Promise<ChildProcess> {
  const file = fileURLToPath(new URL("./fixtures/shared_exit.ts", import.meta.url));
  const child = spawn(process.execPath, [...runOptions(), file, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of child.stdout!) {
    output += String(chunk);
    if (output.includes("\n")) break;
  }
  assert.equal(output, "ready\n");
  return child;
}

/** In Deno `kill` of a child would be reported as the cause of its end, whatever that was. */
const terminate = ({ pid }: ChildProcess): void => void process.kill(pid!, "SIGTERM");

describe("the end of a process with a shared limiter", { skip: NO_STORE }, () => {
  let server: StoreServer;
  before(async () => server = await StoreServer.start());
  after(() => server[Symbol.asyncDispose]());

  const assertLeft = async (name: string): Promise<void> => {
    const state = await fields(server, name, "k");
    assert.equal(state.get("n"), "0", "no process has credit");
    // What was spent, and what the open reservation held; some microseconds have passed.
    const [, level, , lent] = state.get("l.tpm")!.split(" ").map(Number);
    assert.ok(level! > 109_900_000 && level! <= 110_000_000, `${level}`);
    assert.equal(lent, 0);
    assert.match(state.get("l.live")!, /^c \d+ \d+ 0$/);
  };

  it("by SIGTERM gives everything back, and is that of a process without a listener", async () => {
    const name = `life ${run} signal`;
    const child = await start(server.url, name, "false");
    terminate(child);
    const [code, signal] = await once(child, "exit");
    assert.deepEqual([code, signal], [null, "SIGTERM"]);
    await assertLeft(name);
  });

  it("by SIGTERM is the program's own matter if it listens", async () => {
    const name = `life ${run} listener`;
    const child = await start(server.url, name, "true");
    terminate(child);
    assert.deepEqual(await once(child, "exit"), [7, null]);
    await assertLeft(name);
  });

  it("keeps no process alive", async () => {
    const name = `life ${run} exit`;
    const { client, end } = await CLIENTS["ioredis"]!(server);
    const limiter = new RateLimiter({
      name,
      limits: { rpm: rate({ limit: 5, per: "minute" }) },
      shared: valkey({ client }),
    });
    const before = process.listenerCount("SIGTERM");
    assert.equal((await limiter.takeShared("k")).allowed, true);
    await limiter[Symbol.asyncDispose]();
    assert.ok(process.listenerCount("SIGTERM") < before);
    end();
  });
});

describe("the objects of a shared limiter", { skip: NO_STORE }, () => {
  let server: StoreServer;
  before(async () => server = await StoreServer.start());
  after(() => server[Symbol.asyncDispose]());
  const limits = { rpm: rate({ limit: 1, per: "day", burst: 100 }) };

  it("give everything back with the last of them", async () => {
    await using one = await Shared.open(server, limits, { mode: "leased" });
    const { name } = one.limiter;
    const two = await Shared.open(server, limits, { mode: "leased", name });
    await two.limiter.reserveShared("k");
    await two[Symbol.asyncDispose]();
    assert.equal((await fields(server, name, "k")).get("n"), "1");
    assert.equal((await one.limiter.takeShared("k")).allowed, true);
    await one.limiter[Symbol.asyncDispose]();
    assert.equal((await fields(server, name, "k")).get("n"), "0");
  });

  it("make the calls with the client of one that is still open", async () => {
    await using one = await Shared.open(server, limits, { mode: "exact" });
    const { name } = one.limiter;
    const two = await Shared.open(server, limits, { mode: "exact", name });
    await two[Symbol.asyncDispose]();
    const { allowed, source } = await one.limiter.takeShared("k");
    assert.deepEqual({ allowed, source }, { allowed: true, source: "store" });
  });

  it("reject what waits when they are closed", async () => {
    const client = { run: () => new Promise<string>(() => {}) };
    const shared = valkey({ client, timeoutMs: 2_000 });
    const limiter = new RateLimiter({ name: `life ${run} closed`, limits, shared });
    const waiting = limiter.takeShared("k");
    limiter.close();
    await assert.rejects(waiting, { code: "SLUICE_DISPOSED" });
  });

  it("give everything back when the collector has them", async () => {
    const { client, end } = await CLIENTS["ioredis"]!(server);
    const name = `life ${run} collected`;
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    await (async () => {
      const limiter = new RateLimiter({ name, limits, shared: valkey({ client }) });
      registry.register(limiter, undefined);
      const reserved = await limiter.reserveShared("k");
      assert.ok(reserved.allowed);
      reserved.settle();
    })();
    assert.ok(await collectUntil(() => collected === 1));
    await eventually("the goodbye", async () => {
      return (await fields(server, name, "k")).get("n") === "0";
    });
    end();
  });
});
