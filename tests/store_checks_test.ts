/** What `sluice doctor --redis` is made of: the parser of replies, addresses, and what servers say of themselves. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nameOf, parseAddress } from "../src/cli/store/address.ts";
import { type Check, checkServer, parseInfo } from "../src/cli/store/checks.ts";
import { judge } from "../src/cli/store/clock.ts";
import {
  encodeCommand,
  ProtocolError,
  type Reply,
  ReplyParser,
  StoreError,
} from "../src/cli/store/resp.ts";

describe("RESP", () => {
  const replies = fc.letrec<{ reply: Reply }>((tie) => ({
    reply: fc.oneof(
      { depthSize: "small" },
      fc.string({
        unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      }),
      fc.integer(),
      fc.constant(null),
      fc.stringMatching(/^[A-Z]{1,8} [a-z ]{0,8}$/).map((text) => new StoreError(text)),
      fc.array(tie("reply"), { maxLength: 4 }),
    ),
  })).reply;

  it("reads replies however they are divided", () => {
    fc.assert(
      fc.property(
        fc.array(replies, { maxLength: 6 }),
        fc.infiniteStream(fc.nat(7)),
        (all, sizes) => {
          const bytes = all.map(encoded).join("");
          const parser = new ReplyParser();
          const read: Reply[] = [];
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value!;
            read.push(...parser.push(bytes.slice(at, at + size)));
            at += size;
          }
          assert.deepEqual(read, all);
        },
      ),
    );
  });

  it("counts the bytes of a command and not its characters", () => {
    const text = new TextDecoder().decode(encodeCommand(["SET", "ключ", "é"]));
    assert.equal(text, "*3\r\n$3\r\nSET\r\n$8\r\nключ\r\n$2\r\né\r\n");
  });

  it("refuses what is not of the protocol", () => {
    const wrong = ["HTTP/1.1 400 Bad Request\r\n", "H", ":1x\r\n", "$x\r\n", "*x\r\n"];
    for (const bytes of [...wrong, "*1\r\n".repeat(20)]) {
      assert.throws(() => new ReplyParser().push(bytes), ProtocolError, bytes);
    }
  });
});

function encoded(reply: Reply): string {
  if (reply === null) return "$-1\r\n";
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${reply.length}\r\n${reply}\r\n`;
  if (reply instanceof StoreError) return `-${reply.message}\r\n`;
  return `*${reply.length}\r\n${reply.map(encoded).join("")}`;
}

describe("the address of a store", () => {
  it("has a host, a port, a database, and what it takes to log in", () => {
    assert.deepEqual(parseAddress("redis://localhost"), {
      host: "localhost",
      port: 6379,
      isTls: false,
      database: 0,
    });
    assert.deepEqual(parseAddress("rediss://me:p%40ss@db.example:6380/3"), {
      host: "db.example",
      port: 6380,
      isTls: true,
      user: "me",
      password: "p@ss",
      database: 3,
    });
    assert.equal(nameOf(parseAddress("valkeys://:x@[::1]:7000")), "[::1]:7000");
    assert.equal(parseAddress("valkeys://h").isTls, true);
    assert.equal(parseAddress("valkey://h").isTls, false);
  });

  it("is refused without its password", () => {
    const wrong = ["localhost:6379", "http://me:secret@h", "redis://", "redis://h/secret"];
    for (const url of [...wrong, "redis://me:secret%@h"]) {
      assert.throws(() => parseAddress(url), (error: Error) => {
        assert.equal(error.name, "UsageError", url);
        assert.ok(!error.message.includes("secret"), error.message);
        return true;
      });
    }
  });
});

describe("what a server says of itself", () => {
  const FINE = {
    redis_version: "7.0.15",
    role: "master",
    connected_slaves: "1",
    used_memory: "1000000",
    maxmemory: "0",
    maxmemory_policy: "noeviction",
    loading: "0",
    aof_enabled: "1",
    aof_last_write_status: "ok",
  };

  function check(changes: Record<string, string>, name: string): Check {
    const lines = Object.entries({ ...FINE, ...changes }).map((pair) => pair.join(":"));
    const checks = checkServer(parseInfo(["# Server", ...lines, ""].join("\r\n")));
    return checks.find((one) => one.name === name)!;
  }

  it("is fine if nothing is to be done", () => {
    for (const name of ["version", "role", "memory", "persistence"]) {
      const { level, advice } = check({}, name);
      assert.deepEqual([level, advice], ["ok", undefined], name);
    }
    assert.equal(check({}, "role").finding, "primary, 1 replica");
  });

  it("needs a version that has what the script uses", () => {
    const levels = (field: string, ...versions: string[]) =>
      versions.map((version) => check({ [field]: version }, "version").level);
    assert.deepEqual(
      levels("redis_version", "5.0.14", "6.0.20", "6.2.0", "6.10.1", "7.0.15", "8.2.1", "strange"),
      ["fail", "fail", "ok", "ok", "ok", "ok", "fail"],
    );
    assert.deepEqual(levels("valkey_version", "7.1.9", "7.2.5", "8.0.1"), ["fail", "ok", "ok"]);
    assert.equal(check({ valkey_version: "8.0.1" }, "version").finding, "Valkey 8.0.1");
    assert.equal(check({ dragonfly_version: "1.2" }, "version").level, "warn");
  });

  it("warns of eviction, and of memory that is nearly full", () => {
    const level = (changes: Record<string, string>) => check(changes, "memory").level;
    const limited = { maxmemory: "2000000" };
    assert.equal(level(limited), "ok");
    assert.equal(level({ maxmemory_policy: "allkeys-lru" }), "ok");
    assert.equal(level({ ...limited, maxmemory_policy: "allkeys-lru" }), "warn");
    assert.equal(level({ ...limited, maxmemory_policy: "volatile-ttl" }), "warn");
    assert.equal(level({ ...limited, used_memory: "1900000" }), "warn");
  });

  it("warns of counts that a restart loses, and fails while data is loaded or on a replica", () => {
    const level = (changes: Record<string, string>) => check(changes, "persistence").level;
    assert.equal(level({ aof_enabled: "0" }), "warn");
    assert.equal(level({ aof_last_write_status: "err" }), "warn");
    assert.equal(level({ loading: "1" }), "fail");
    assert.equal(check({ role: "slave" }, "role").level, "fail");
  });
});

describe("the clock of a server", () => {
  const sample = (offset: number, origin: number, error = 0.2) => ({ offset, origin, error });

  it("may be off a little, and is told to be set if it is off a second", () => {
    assert.deepEqual(judge([sample(3, 50), sample(-2.5, 50.1, 0.1)]), {
      name: "clock",
      level: "ok",
      finding: "2.5 ms behind here",
    });
    assert.equal(judge([sample(1500, 50), sample(1500, 50)]).level, "warn");
  });

  it("must not step, and a slow answer is no step", () => {
    const stepped = judge([sample(0, 50), sample(100, 150), sample(100, 150)]);
    assert.deepEqual([stepped.level, /a step of 100 ms/.test(stepped.finding)], ["warn", true]);
    assert.equal(judge([sample(0, 50), sample(30, 80, 40), sample(0, 50)]).level, "ok");
  });
});
