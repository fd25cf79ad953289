/** `sluice doctor --redis` against real servers. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import type { StoreFindings } from "../src/cli/store/examine.ts";
import { RIGHTS } from "../src/cli/store/script.ts";
import { type Result, sluiceOnline } from "./fixtures/cli.ts";
import { freePort } from "./support/free_port.ts";
import { StoreCluster } from "./support/store_cluster.ts";
import { INSTALLED, NO_STORE, StoreServer } from "./support/store_server.ts";

/** The levels of all checks by name, with what the command printed. */
async function doctor(url: string, ...args: string[]) {
  const result = await sluiceOnline(["doctor", "--json", "--redis", url, ...args]);
  const store: StoreFindings | undefined = result.stdout === ""
    ? undefined
    : JSON.parse(result.stdout).store;
  const levels = Object.fromEntries((store?.checks ?? []).map(({ name, level }) => [name, level]));
  return { ...result, store, levels };
}

function told(result: Result, pattern: RegExp): void {
  assert.match(result.stderr, pattern, result.stdout);
}

describe("sluice doctor --redis", { skip: NO_STORE }, () => {
  for (const kind of INSTALLED) {
    it(`finds nothing wrong with a durable ${kind}-server, and leaves nothing on it`, async () => {
      await using server = await StoreServer.start({ kind, isDurable: true });
      const { code, stderr, store, levels } = await doctor(server.url);
      assert.equal(code, 0);
      // On a machine that is busy with other tests, calls may take long.
      assert.doesNotMatch(stderr, /^sluice: (?!latency: )/m);
      const { latency, ...others } = levels;
      assert.match(latency!, /^(?:ok|warn)$/);
      const names = ["topology", "version", "role", "memory", "persistence", "clock", "script"];
      assert.deepEqual(others, Object.fromEntries(names.map((name) => [name, "ok"])));
      assert.equal(store?.address, `127.0.0.1:${server.port}`);
      assert.ok(store!.latencyMs!.p50 > 0 && store!.latencyMs!.p99 >= store!.latencyMs!.p50);
      assert.equal(await server.command("dbsize"), "0");
    });
  }

  it("prints a report with warnings, which are no failure", async () => {
    const args = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    await using server = await StoreServer.start({ args });
    const result = await sluiceOnline(["doctor", "--redis", server.url]);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^store +127\.0\.0\.1:\d+$/m);
    assert.match(result.stdout, /^ {2}version +ok +(?:Redis|Valkey) \d+\.\d+\.\d+$/m);
    assert.match(result.stdout, /^ {2}memory +WARN +allkeys-lru, \d+\.\d MiB of 100\.0 MiB$/m);
    assert.match(result.stdout, /^ {2}persistence +WARN +no append-only file$/m);
    assert.match(result.stdout, /^ {2}latency +(?:ok|WARN) +p50 \d+\.\d\d ms, p99 \d+\.\d\d ms/m);
    told(result, /^sluice: memory: set maxmemory-policy to noeviction/m);
    told(result, /^sluice: persistence: a restart loses counts/m);
  });

  it("logs in, and never repeats a password", async () => {
    await using server = await StoreServer.start();
    await server.command("config", "set", "requirepass", "open:sesame");
    const at = `127.0.0.1:${server.port}`;
    const right = await doctor(`redis://:open%3Asesame@${at}/2`);
    assert.equal(right.code, 0, right.stderr);
    assert.equal(right.levels["script"], "ok");
    for (const url of [`redis://:wrong-sesame@${at}`, `redis://someone:wrong-sesame@${at}`]) {
      const wrong = await doctor(url);
      assert.equal(wrong.code, 1);
      assert.deepEqual(wrong.levels, { connection: "fail" });
      told(wrong, /WRONGPASS/);
      assert.ok(!(wrong.stdout + wrong.stderr).includes("sesame"), wrong.stderr);
    }
    told(await doctor(`redis://${at}`), /NOAUTH/);
  });

  it("says which rights a restricted user lacks, and works with exactly these", async () => {
    await using server = await StoreServer.start();
    const rights = [...RIGHTS.split(" "), "+info", "+ping"];
    const keys = "~gw-doctor:*";
    await server.command("acl", "setuser", "whole", "on", ">x", keys, ...rights);
    await server.command("acl", "setuser", "half", "on", ">x", keys, "+info", "+time");
    const at = `127.0.0.1:${server.port}`;
    const whole = await doctor(`redis://whole:x@${at}`, "--prefix", "gw");
    assert.equal(whole.code, 0, whole.stderr);
    assert.equal(whole.levels["script"], "ok");
    const half = await doctor(`redis://half:x@${at}`, "--prefix", "gw");
    assert.deepEqual([half.code, half.levels["script"]], [1, "fail"]);
    told(half, /^sluice: script: .*NOPERM.*: permit the script's commands to this user: \+eval/m);
  });

  it("refuses a replica", async () => {
    await using primary = await StoreServer.start();
    const args = ["--replicaof", primary.host, String(primary.port)];
    await using replica = await StoreServer.start({ args });
    const { code, levels, ...result } = await doctor(replica.url);
    assert.deepEqual([code, levels["role"], levels["script"]], [1, "fail", "fail"]);
    told({ code, ...result }, /^sluice: role: replica: connect to its primary/m);
  });

  it("examines every primary of a cluster, through any of its nodes", async () => {
    await using cluster = await StoreCluster.start();
    for (const node of [cluster.nodes[0]!, cluster.nodes[4]!]) {
      const { code, stderr, store, levels } = await doctor(node.url);
      assert.equal(code, 0, stderr);
      assert.deepEqual([levels["script"], levels["role"]], ["ok", "ok"]);
      assert.equal(store!.checks[0]!.finding, "cluster of 3 primaries");
      const clocks = store!.checks.filter(({ name }) => name === "clock");
      assert.equal(new Set(clocks.map(({ finding }) => finding.split(": ")[0])).size, 3);
    }
    for (const node of cluster.nodes) assert.equal(await node.command("dbsize"), "0");
  });

  it("says that no server is there, or that it is none of Redis", async () => {
    const nothing = await doctor(`redis://127.0.0.1:${await freePort()}`);
    assert.deepEqual([nothing.code, nothing.levels], [1, { connection: "fail" }]);
    told(nothing, /^sluice: connection: .*refused/im);

    const web = createServer();
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    told(await doctor(`redis://127.0.0.1:${port}`), /connection: .*not of Redis or Valkey/);
    await new Promise((resolve) => web.close(resolve));
  });

  it("refuses what is no address", async () => {
    const { code, stderr, stdout } = await doctor("localhost:6379");
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^sluice: --redis needs a URL such as redis:\/\/localhost:6379/);
  });
});
