/**
 * A program that is loaded anew in the same thread, as `bun --hot` and `deno run --watch` do when a file is
 * saved, finds what it would find after a restart of its Worker.
 */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { MOD, WatchedProgram, WATCHES } from "./fixtures/watched_program.ts";
import { RUNTIME } from "./support/runtime.ts";

/** Takes all there is and keeps it. What it found before that is told. */
const holder = (generation: number, cap: number): string => `
import { concurrency, quota, RateLimiter, UpstreamPool } from ${JSON.stringify(MOD)};
const pool = new UpstreamPool({ name: "openai", upstreams: [{ id: "a", maxInFlight: ${cap} }] });
const limiter = new RateLimiter({
  name: "tenants",
  limits: {
    live: concurrency({ limit: ${cap} }),
    day: quota({ unit: "tokens", limit: ${1000 * cap}, per: "day" }),
  },
});
const { inFlight, waiting, members } = pool.stats();
const { live, day } = limiter.inspect("tenant");
const leases = [], reservations = [];
for (let lease; (lease = pool.tryAcquire()) !== null;) leases.push(lease);
for (let one; (one = limiter.reserve("tenant", { tokens: 100 })).allowed;) reservations.push(one);
pool.acquire({ timeoutMs: Infinity }).catch(() => {});
globalThis.kept = [globalThis.kept, leases, reservations];
console.log(JSON.stringify({
  generation: ${generation}, inFlight, waiting, members,
  held: live.outstanding + day.outstanding, capacity: day.capacity, used: day.used,
  leases: leases.length, reservations: reservations.length,
}));
setInterval(() => {}, 1000);
`;

/** Its processes end with the program, so that nothing is left in their threads. */
const NODE = RUNTIME === "node" && "node --watch starts a new process";

describe("a program that is saved again and again", { skip: NODE }, () => {
  for (const watch of WATCHES) {
    it(`loses what it held, and may say other limits: ${watch}`, async () => {
      using program = new WatchedProgram(watch, holder(1, 1));
      await program.hears("generation", 1);
      for (const [generation, cap] of [[2, 1], [3, 2], [4, 3], [5, 1]] as const) {
        await program.save(generation, holder(generation, cap));
      }
      const told = program.told();
      assert.ok(told.length >= 5);
      let used = 0;
      for (const { generation, leases, reservations, capacity, ...found } of told) {
        const cap = [1, 1, 2, 3, 1][generation - 1]!;
        // Open reservations are settled in full, whatever the limits are by then.
        assert.deepEqual(
          { generation, ...found },
          { generation, inFlight: 0, waiting: 0, members: 1, held: 0, used },
        );
        assert.deepEqual({ leases, reservations, capacity }, {
          leases: cap,
          reservations: used >= 1000 * cap ? 0 : cap,
          capacity: 1000 * cap,
        });
        used += 100 * reservations;
      }
      assert.doesNotMatch(program.errors, /SLUICE_|error:/i);
    });
  }
});

/** Begins a request, with all that may belong to one, and tells how each of it ends. */
const beginning = (url: string): string => `
import { concurrency, RateLimiter, Tokenizer, UpstreamPool } from ${JSON.stringify(MOD)};
const tell = (it) => console.log(JSON.stringify(it));
const code = async (work) => { try { return (await work()) ?? "done"; } catch (error) { return error.code; } };
const upstreams = [{ id: "a", maxInFlight: 1 }];
const pool = new UpstreamPool({ name: "openai", upstreams, leaseTtlMs: 300, onEvent() {} });
const limiter = new RateLimiter({ name: "tenants", limits: { live: concurrency({ limit: 1 }) } });
const tokenizer = new Tokenizer("o200k_base");
const counter = tokenizer.counter();
const reserved = limiter.reserve("tenant");
using disposed = new RateLimiter({ name: "other", limits: { live: concurrency({ limit: 1 }) } })
  .reserve("tenant");
const response = await pool.fetch(() => ${JSON.stringify(url)});
const waits = code(() => pool.acquire({ timeoutMs: Infinity }));
const job = tokenizer.countAsync("Hello, world! ".repeat(100_000));
let body = "";
tell({ begun: true });
(async () => {
  using mine = disposed;
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    counter.push(body += part);
  }
  tell({
    body, counted: counter.count, job: await job, waited: await waits, next: await code(() => pool.acquire()),
    tried: await code(() => pool.tryAcquire()), stats: await code(() => pool.stats()),
    drained: await code(() => pool.drain()), settled: await code(() => reserved.settle()),
    taken: limiter.take("tenant", { concurrent: 0 }).allowed,
  });
})();
setInterval(() => {}, 1000);
`;

/** The next generation: all it needs is there, and it does not lose it again. */
const following = `
import { concurrency, RateLimiter, UpstreamPool } from ${JSON.stringify(MOD)};
const pool = new UpstreamPool({ name: "openai", upstreams: [{ id: "a", maxInFlight: 2 }], leaseTtlMs: 1e6 });
const limiter = new RateLimiter({ name: "tenants", limits: { live: concurrency({ limit: 2 }) } });
const leases = pool.acquireBatch(5), reserved = limiter.reserve("tenant");
console.log(JSON.stringify({ generation: 2, leases: leases.length, allowed: reserved.allowed }));
setInterval(() => console.log(JSON.stringify({
  inFlight: pool.stats().inFlight, members: pool.stats().members,
  held: limiter.inspect("tenant").live.outstanding, 
})), 100);
`;

describe("what is under way when a program is saved", {
  skip: NODE || RUNTIME === "deno" && "deno run --watch ends it",
}, () => {
  it("ends well, and what has no place any more says so", async () => {
    const open: ServerResponse[] = [];
    const server = createServer((_, response) => {
      response.write("Hello, ");
      open.push(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      using program = new WatchedProgram("--hot", beginning(url));
      await program.hears("begun");
      const { leases, allowed } = await program.save(2, following);
      assert.deepEqual({ leases, allowed }, { leases: 2, allowed: true });
      // Three times as long as the lease would live.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      for (const response of open) response.end("world!");
      const { body, counted, job, ...told } = await program.hears("body");
      assert.deepEqual({ body, counted, job }, { body: "Hello, world!", counted: 6, job: 400_001 });
      const closed = "SLUICE_POOL_CLOSED";
      assert.deepEqual(told, {
        waited: closed,
        next: closed,
        tried: closed,
        stats: closed,
        drained: closed,
        settled: "SLUICE_RESERVATION_CLOSED",
        taken: true,
      });
      const seen = program.told().length;
      await new Promise((resolve) => setTimeout(resolve, 500));
      const last = program.told().slice(seen).at(-1);
      assert.deepEqual(last, { inFlight: 2, members: 1, held: 1 });
      assert.doesNotMatch(program.errors, /error/i);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
