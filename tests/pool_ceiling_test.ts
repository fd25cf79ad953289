/** The ceiling of the runtime's `fetch`, and the warning that pools allow more. */
import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CEILING_VARIABLE, requestCeiling } from "../src/ffi/request_ceiling.ts";
import { CeilingShare, watchCeiling } from "../src/pool/ceiling_warning.ts";
import { PoolMember } from "../src/pool/member.ts";
import { packPool } from "../src/pool/settings.ts";
import { UpstreamSet } from "../src/pool/upstream_set.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { open } from "./fixtures/pools.ts";
import { RUNTIME } from "./support/runtime.ts";

const isBun = RUNTIME === "bun";

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

  it("is that of Bun's variable, and there is none in Deno and Node", () => {
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

  it("is compared with the open pools, with one warning", async () => {
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

  it("is watched by listeners, which read the caps from the first fetch to the close", () => {
    let reads = 0;
    const stats = () => {
      reads++;
      return caps(1)();
    };
    const member: Parameters<typeof watchCeiling>[1] = {
      stats,
      onFetch: undefined,
      onCapsChanged: undefined,
      onClose: undefined,
    };
    watchCeiling("listened to", member, Infinity);
    assert.equal(member.onFetch ?? member.onCapsChanged ?? member.onClose, undefined);
    watchCeiling("listened to", member, 1000);
    member.onCapsChanged!();
    assert.equal(reads, 0, "not before the first fetch");
    member.onFetch!();
    member.onFetch!();
    assert.equal(reads, 1);
    member.onCapsChanged!();
    assert.equal(reads, 2);
    member.onClose!();
    member.onCapsChanged!();
    assert.equal(reads, 2, "not after the close");
  });

  it("is told of every change of the caps of a pool", () => {
    const member = new PoolMember("caps", packPool({ name: "caps", upstreams: [] }));
    const upstreams = new UpstreamSet(member);
    let changes = 0;
    member.onCapsChanged = () => changes++;
    upstreams.add({ id: "a", maxInFlight: 1 });
    upstreams.update("a", { maxInFlight: 2 });
    upstreams.resize(3);
    upstreams.remove("a");
    assert.equal(changes, 4);
    assert.throws(() => upstreams.remove("a"));
    assert.equal(changes, 4);
    member.close();
  });

  it("does not change the error of a fetch after the close", async () => {
    await using server = await FlakyServer.start();
    const pool = open([{ id: "a", maxInFlight: 2 }]);
    await (await pool.fetch(() => server.url("/text"))).text();
    pool.setMaxInFlight(3);
    pool.updateUpstream("a", { maxInFlight: 4 });
    await pool.close();
    await assert.rejects(pool.fetch(() => server.url("/text")), { code: "SLUICE_POOL_CLOSED" });
  });
});
