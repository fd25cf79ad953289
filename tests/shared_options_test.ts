/** The options of shared limits, and the adapters of clients. No store is needed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  concurrency,
  quota,
  rate,
  RateLimiter,
  type RateLimiterOptions,
  VirtualClock,
} from "../mod.ts";
import { runnerOf } from "../src/shared/clients.ts";
import { type SharedClient, valkey, type ValkeyOptions } from "../src/shared/mod.ts";
import { any } from "./support/limiter.ts";

const client: SharedClient = { run: () => Promise.reject(new Error("not connected")) };
const limits = { rpm: rate({ limit: 5, per: "minute" }) };
const shared = valkey({ client });
let made = 0;
const named = (): string => `shared options ${crypto.randomUUID()} ${made++}`;

describe("the options of valkey()", () => {
  const refuses = (options: unknown, message: RegExp): void => {
    assert.throws(() => valkey(any(options)), message);
  };

  it("have defaults", () => {
    assert.deepEqual({ ...shared.settings }, {
      prefix: "sluice",
      mode: "auto",
      onOutage: undefined,
      processes: 1,
      onLoss: "fresh",
      timeoutMs: 100,
      leaseMs: 2000,
    });
  });

  it("are refused with the name and the value if they are wrong", () => {
    const wrong: [Partial<Record<keyof ValkeyOptions, unknown>>, RegExp][] = [
      [{ prefix: 7 }, /TypeError: prefix must be a string, not 7/],
      [{ prefix: "a{b}" }, /RangeError: prefix must have .* no brace or NUL, not "a\{b\}"/],
      [{ prefix: "x".repeat(257) }, /RangeError: prefix must have at most 256 characters/],
      [{ mode: "fast" }, /RangeError: mode must be one of "exact", "leased", "auto", not "fast"/],
      [{ mode: 1 }, /TypeError: mode must be one of .*, not 1/],
      [{ onOutage: "allow" }, /RangeError: onOutage must be one of "share", "closed", "open"/],
      [{ onLoss: null }, /TypeError: onLoss must be one of "fresh", "strict", not null/],
      [{ processes: 0 }, /RangeError: processes must be an integer from 1 to 1000000, not 0/],
      [{ processes: "2" }, /TypeError: processes must be a number, not "2"/],
      [{ timeoutMs: 0 }, /RangeError: timeoutMs must be a number from 1 to 60000, not 0/],
      [{ timeoutMs: NaN }, /RangeError: timeoutMs must be a number from 1 to 60000, not NaN/],
      [{ leaseMs: 19 }, /RangeError: leaseMs must be a number from 20 to 3600000, not 19/],
      [{ slot: "a" }, /TypeError: slot must be a function, not "a"/],
    ];
    for (const [options, message] of wrong) refuses({ client, ...options }, message);
    refuses(undefined, /TypeError: the options of valkey\(\) must be an object, not undefined/);
    refuses({ client, url: "x" }, /TypeError: the options of valkey\(\) must not have "url"/);
  });

  it("need a client that can run scripts", () => {
    for (const bad of [undefined, null, 7, "redis://", {}, { get: () => 0 }, { evalsha: 1 }]) {
      refuses({ client: bad }, /TypeError: client must be one of ioredis, iovalkey, node-redis/);
    }
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    refuses({ client: revoked.proxy }, /TypeError/);
  });
});

describe("the option shared of a limiter", () => {
  const refuses = (options: Partial<RateLimiterOptions>, message: RegExp): void => {
    assert.throws(() => new RateLimiter({ limits, ...options }), message);
  };

  it("must be made by valkey()", () => {
    refuses(
      { name: named(), shared: any({ client }) },
      /TypeError: shared must be made by valkey\(\) of sluice\/shared, not an instance of Object/,
    );
  });

  it("needs a name, and a clock that does not stop", () => {
    refuses({ shared }, /TypeError: name must be a string if the limits are shared/);
    refuses(
      { name: named(), shared, clock: "coarse" },
      /RangeError: clock must be a VirtualClock or left out if the limits are shared, not "coarse"/,
    );
    using clock = new VirtualClock();
    new RateLimiter({ name: named(), limits, shared, clock }).close();
  });

  it("refuses quotas with windows of less than a second", () => {
    refuses(
      { name: named(), shared, limits: { q: quota({ limit: 1, per: { milliseconds: 999 } }) } },
      /RangeError: a quota that is shared must have windows of 1000 ms or more, not 999/,
    );
  });

  it("is part of what all who open the limiter must agree on", () => {
    const name = named();
    using _ = new RateLimiter({ name, limits, shared });
    new RateLimiter({ name, limits, shared: valkey({ client }) }).close();
    const others: RateLimiterOptions[] = [
      { name, limits },
      { name, limits, shared: valkey({ client, prefix: "other" }) },
      { name, limits, shared: valkey({ client, mode: "exact" }) },
      { name, limits, shared: valkey({ client, leaseMs: 3000 }) },
      { name, limits, shared: valkey({ client, onLoss: "strict" }) },
      { name, limits, shared: valkey({ client, onOutage: "open" }) },
      {
        name,
        limits: { rpm: rate({ limit: 5, per: "minute", onOutage: "open" }) },
        shared,
      },
    ];
    for (const options of others) {
      assert.throws(() => new RateLimiter(options), { code: "SLUICE_LIMITER_MISMATCH" });
    }
  });
});

describe("the rule onOutage of a limit", () => {
  it("is kept, and left out where it is not given", () => {
    const { onOutage } = quota({ limit: 1, per: "day", onOutage: "open" });
    assert.equal(onOutage, "open");
    assert.equal("onOutage" in concurrency({ limit: 1 }), false);
  });

  it("is refused if it is none", () => {
    const bad = any("no");
    const message = /RangeError: onOutage must be one of "share", "closed", "open", not "no"/;
    assert.throws(() => rate({ limit: 1, per: "second", onOutage: bad }), message);
    assert.throws(() => quota({ limit: 1, per: "day", onOutage: bad }), message);
    assert.throws(() => concurrency({ limit: 1, onOutage: bad }), message);
    const made = { ...rate({ limit: 1, per: "second" }), onOutage: bad };
    assert.throws(() => new RateLimiter({ limits: { made } }), /RangeError: limits.made.onOutage/);
  });
});

describe("a limiter without the option shared", () => {
  it("rejects the calls that need it", async () => {
    using limiter = new RateLimiter({ limits });
    const calls = [
      () => limiter.takeShared("k"),
      () => limiter.reserveShared("k"),
      () => limiter.peekShared("k"),
      () => limiter.setLimitsShared("k", undefined),
      () => limiter.resetShared("k"),
    ];
    for (const call of calls) await assert.rejects(call(), { code: "SLUICE_NOT_SHARED" });
    assert.equal(limiter.stats().shared, undefined);
  });

  it("can be disposed of asynchronously", async () => {
    const limiter = new RateLimiter({ limits });
    await limiter[Symbol.asyncDispose]();
    assert.throws(() => limiter.take("k"), { code: "SLUICE_DISPOSED" });
  });
});

describe("a limiter that other processes share", () => {
  it("refuses the calls that would reach this process alone", () => {
    using limiter = new RateLimiter({ name: named(), limits, shared });
    assert.throws(() => limiter.reset("k"), {
      code: "SLUICE_IS_SHARED",
      message: /use resetShared/,
    });
    assert.throws(() => limiter.setLimits("k", {}), {
      code: "SLUICE_IS_SHARED",
      message: /use setLimitsShared/,
    });
  });

  it("rejects wrong arguments as the synchronous calls throw them", async () => {
    using limiter = new RateLimiter({ name: named(), limits, shared });
    await assert.rejects(limiter.takeShared(any(7)), /TypeError: key must be a string, not 7/);
    await assert.rejects(limiter.takeShared("k", any(7)), /TypeError: cost must be an object/);
    await assert.rejects(
      limiter.takeShared("k", any({ token: 1 })),
      /RangeError: cost has the unit "token", which no limit counts/,
    );
    await assert.rejects(
      limiter.takeShared("k", undefined, any({ timeout: 1 })),
      /TypeError: the options of a call must not have "timeout"/,
    );
    await assert.rejects(
      limiter.takeShared("k", undefined, { timeoutMs: -1 }),
      /RangeError: timeoutMs must be above 0, not -1/,
    );
    await assert.rejects(
      limiter.takeShared("k", undefined, { signal: any("no") }),
      /TypeError: signal must be an AbortSignal/,
    );
    await assert.rejects(
      limiter.reserveShared("k", undefined, { ttlMs: 0 }),
      /RangeError: ttlMs must be above 0/,
    );
    limiter.close();
    await assert.rejects(limiter.takeShared("k"), { code: "SLUICE_DISPOSED" });
  });

  it("refuses a take that needs a slot of a concurrency limit", async () => {
    using limiter = new RateLimiter({
      name: named(),
      limits: { live: concurrency({ limit: 1 }) },
      shared,
    });
    await assert.rejects(
      limiter.takeShared("k", any(undefined)),
      /TypeError: take holds no slot of the concurrency limit "live"/,
    );
  });
});

describe("the adapters of clients", () => {
  const [sha, source, keys, args] = ["5ha", "return 1", ["{1}:a", "{1}:e"], ["sync", "p", "7"]];
  const noScript = new Error("NOSCRIPT No matching script. Please use EVAL.");

  /** A client whose methods answer or throw one after the other, and what they were called with. */
  function client(names: readonly string[], ...answers: unknown[]) {
    const calls: unknown[][] = [];
    const methods = names.map((name) => [name, (...given: unknown[]) => {
      calls.push([name, ...given]);
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    }]);
    return { calls, run: runnerOf(Object.fromEntries(methods)) };
  }

  it("call ioredis and iovalkey with keys and arguments in a row", async () => {
    const { calls, run } = client(["evalsha", "eval"], noScript, "ok 1");
    assert.equal(await run(sha, source, keys, args), "ok 1");
    const rest = [2, "{1}:a", "{1}:e", "sync", "p", "7"];
    assert.deepEqual(calls, [["evalsha", sha, ...rest], ["eval", source, ...rest]]);
  });

  it("call node-redis with an object", async () => {
    const { calls, run } = client(["evalSha", "eval"], noScript, "ok 1");
    assert.equal(await run(sha, source, keys, args), "ok 1");
    const options = { keys, arguments: args };
    assert.deepEqual(calls, [["evalSha", sha, options], ["eval", source, options]]);
  });

  it("call Bun.redis with a command", async () => {
    const names = ["evalsha", "eval", "send", "connect"];
    const { calls, run } = client(names, noScript, "ok 1");
    assert.equal(await run(sha, source, keys, args), "ok 1");
    const rest = ["2", ...keys, ...args];
    assert.deepEqual(calls, [["send", "EVALSHA", [sha, ...rest]], ["send", "EVAL", [
      source,
      ...rest,
    ]]]);
  });

  it("connect Bun.redis again after it has given up", async () => {
    let connects = 0;
    const run = runnerOf({
      send: () => Promise.reject(new Error("Connection has failed")),
      connect: () => Promise.reject(new Error(`try ${++connects}`)),
      connected: false,
    });
    await assert.rejects(run(sha, source, keys, args), /Connection has failed/);
    assert.equal(connects, 1);
  });

  it("pass any other error on and try nothing again", async () => {
    for (const names of [["evalsha", "eval"], ["evalSha", "eval"], ["send", "connect"]]) {
      const { calls, run } = client(names, new Error("READONLY You can't write"));
      await assert.rejects(run(sha, source, keys, args), /READONLY/);
      assert.equal(calls.length, 1);
    }
  });

  it("read bytes, and refuse other answers", async () => {
    const bytes = new TextEncoder().encode("ok 2");
    assert.equal(await client(["evalsha", "eval"], bytes).run(sha, source, keys, args), "ok 2");
    assert.equal(await client(["run"], bytes).run(sha, source, keys, args), "ok 2");
    for (const names of [["evalsha", "eval"], ["run"]]) {
      await assert.rejects(
        client(names, 7).run(sha, source, keys, args),
        /TypeError: the client must answer a script with a string, not 7/,
      );
    }
  });
});

describe("a shared limiter that is opened again while it says goodbye", () => {
  it("answers who waits", { timeout: 10_000 }, async () => {
    const slow = {
      run: async (_sha: string, _source: string, _keys: unknown, args: readonly string[]) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        // Nothing is lent, and all who wait are admitted.
        const results = " 0".repeat(Number(args[9]));
        return `ok ${args[2]} 1 ${Date.now() * 1000} 0 1 0 0 0 0 5000000 0${results}`;
      },
    };
    const options = {
      name: named(),
      limits,
      shared: valkey({ client: slow, mode: "exact", timeoutMs: 5000 }),
    } as const;
    const first = new RateLimiter(options);
    await first.takeShared("k");
    first.close();
    const second = new RateLimiter(options);
    const { allowed, source } = await second.takeShared("k");
    assert.deepEqual({ allowed, source }, { allowed: true, source: "store" });
    await second[Symbol.asyncDispose]();
  });
});

describe("a client that never answers", () => {
  it("keeps no call waiting, also if its key was forgotten since the last one", async () => {
    const hanging = { run: () => new Promise<string>(() => {}) };
    using limiter = new RateLimiter({
      name: named(),
      limits,
      shared: valkey({ client: hanging, onOutage: "closed", timeoutMs: 50, leaseMs: 200 }),
    });
    await limiter.takeShared("k");
    await new Promise((resolve) => setTimeout(resolve, 400));
    const start = performance.now();
    const { allowed, source } = await limiter.takeShared("k");
    assert.deepEqual({ allowed, source }, { allowed: false, source: "outage" });
    const waited = performance.now() - start;
    assert.ok(waited < 400, `${waited} ms`);
  });
});

describe("the keys in the store", () => {
  it("have a hash tag of the key, or of its slot", () => {
    const [hash, epoch] = shared.keysOf("tenants", "tenant-42");
    assert.match(hash, /^sluice:1:\{\d{1,4}\}:tenants:tenant-42$/);
    assert.equal(epoch, `${hash.split("}")[0]}}:epoch`);
    // FNV-1a of "foobar" is 0xbf9cf968.
    assert.equal(shared.keysOf("o", "foobar")[0], `sluice:1:{${0xbf9cf968 % 1024}}:o:foobar`);
    const byTenant = valkey({ client, prefix: "gw", slot: (key) => key.split("/")[0]! });
    const [one, two] = ["a/1", "a/2"].map((key) => byTenant.keysOf("o", key)[1]);
    assert.equal(one, two);
    const bad = valkey({ client, slot: () => any(7) });
    assert.throws(() => bad.keysOf("o", "k"), /TypeError: slot must return a string, not a number/);
  });
});
