/** The ceiling of the runtime's `fetch`, and the warning that pools allow more than it. */
import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CEILING_VARIABLE, requestCeiling } from "../src/ffi/request_ceiling.ts";
import { CeilingShare } from "../src/pool/ceiling_warning.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { open } from "./fixtures/pools.ts";

const isBun = "Bun" in globalThis;

function caps(...each: number[]) {
  const upstreams = each.map((maxInFlight) => ({ maxInFlight })) as never;
  return () => ({ maxInFlight: 1000, upstreams });
}

describe("the ceiling of fetch", () => {
  const warnings: (Error & { code?: string })[] = [];
  const listen = (warning: Error) => void warnings.push(warning);
  const before = process.env[CEILING_VARIABLE];
  beforeEach(() => void process.on("warning", listen));
  afterEach(() => {
    process.off("warning", listen);
    if (before === undefined) delete process.env[CEILING_VARIABLE];
    else process.env[CEILING_VARIABLE] = before;
  });

  it("is what Bun makes of its variable, and none in Deno", () => {
    delete process.env[CEILING_VARIABLE];
    assert.equal(requestCeiling(), isBun ? 256 : Infinity);
    for (const [value, ceiling] of [["1000", 1000], ["65535", 65_535], ["1", 1]] as const) {
      process.env[CEILING_VARIABLE] = value;
      assert.equal(requestCeiling(), isBun ? ceiling : Infinity);
    }
    for (const value of ["0", "-5", "65536", "many", "1.5", ""]) {
      process.env[CEILING_VARIABLE] = value;
      assert.equal(requestCeiling(), isBun ? 256 : Infinity, value);
    }
  });

  it("is compared with the pools that are open, and warned of once", async () => {
    const told = async (): Promise<number> => {
      await sleep(5);
      return warnings.filter(({ code }) => code === "SLUICE_FETCH_CEILING").length;
    };
    const shares = ["one", "two", "two"].map((name) => new CeilingShare(name, 1256));
    const [one, two, again] = shares as [CeilingShare, CeilingShare, CeilingShare];
    one.update(caps(5000));
    one.enter(caps(600, 100));
    one.enter(caps(5000));
    two.enter(caps(500));
    again.enter(caps(500));
    assert.equal(await told(), 0, "1200 are allowed: one name is one pool");
    two.leave();
    two.leave();
    again.update(caps(550));
    assert.equal(await told(), 0, "1250");
    for (let i = 0; i < 100; i++) {
      const passing = new CeilingShare(`passing ${i}`, 1256);
      passing.enter(caps(6));
      passing.leave();
    }
    assert.equal(await told(), 0, "those that are closed are not counted");
    again.leave();
    one.update(caps(5000));
    assert.equal(await told(), 0, "no more than its total");
    again.enter(caps(257));
    assert.equal(await told(), 1);
    assert.match(warnings.at(-1)!.message, /allow 1257 .* carries out 1256 .*HTTP_REQUESTS=1257/s);
    again.update(caps(900));
    assert.equal(await told(), 1, "once");
    for (const share of shares) share.leave();
    new CeilingShare("no ceiling", Infinity).enter(() => {
      throw new Error("asked for nothing");
    });
  });

  it("is no error of a fetch that comes too late", async () => {
    await using server = await FlakyServer.start();
    const pool = open([{ id: "a", maxInFlight: 2 }]);
    await (await pool.fetch(() => server.url("/text"))).text();
    pool.setMaxInFlight(3);
    pool.updateUpstream("a", { maxInFlight: 4 });
    pool.close();
    await assert.rejects(pool.fetch(() => server.url("/text")), { code: "SLUICE_POOL_CLOSED" });
  });
});
