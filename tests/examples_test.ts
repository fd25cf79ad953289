/** The examples and, for a few seconds, the soaks keep their promises in this runtime. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { InUse } from "./soak/in_use.ts";
import { NO_STORE } from "./support/store_server.ts";
import { runOptions, RUNTIME } from "./support/runtime.ts";

function run(file: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      [...runOptions(), path, ...args],
      { timeout: 50_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, output: stdout + stderr });
      },
    )
  );
}

describe("Examples and soaks", () => {
  it("proxy_gateway.ts keeps its promises", { timeout: 60_000 }, async () => {
    const { code, output } = await run("examples/proxy_gateway.ts", "--seconds", "4");
    assert.equal(code, 0, output);
    assert.equal(output.match(/^kept /gm)?.length, 7, output);
    assert.match(output, /^left: 0 leases, 0 waiting$/m);
  });

  it("limited_gateway.ts admits exactly as many as it may", { timeout: 60_000 }, async () => {
    const { code, output } = await run("examples/limited_gateway.ts");
    assert.equal(code, 0, output);
    assert.match(output, /^acme: admitted 1,000, denied 600, failed 0;/m);
    assert.match(output, /the upstream served 1,000 requests and /);
    assert.equal(output.match(/^kept /gm)?.length, 9, output);
  });

  it("tcp_resources.ts keeps its promises", { timeout: 60_000 }, async () => {
    const { code, output } = await run("examples/tcp_resources.ts");
    assert.equal(code, 0, output);
    assert.match(output, /100 of 100 pings answered over 4 connections/);
  });

  it("many_gateways.ts holds one limit through kills", {
    // Its gateways are of both runtimes, whichever starts them.
    skip: RUNTIME === "bun" ? NO_STORE : "runs once, in Bun",
    timeout: 60_000,
  }, async () => {
    const { code, output } = await run("examples/many_gateways.ts");
    assert.equal(code, 0, output);
    assert.match(output, /^the upstream counted \d{4} requests; 5200 were allowed in 12 seconds$/m);
    assert.match(output, /kill -9 of a gateway$/m);
    assert.match(output, /kill -9 of (?:redis|valkey)$/m);
    assert.equal(output.match(/^kept /gm)?.length, 5, output);
  });

  it("bullmq_tokenize.ts loses nothing with a worker that is killed", {
    skip: NO_STORE,
    timeout: 60_000,
  }, async () => {
    const { code, output } = await run("examples/bullmq_tokenize.ts");
    assert.equal(code, 0, output);
    assert.match(output, /^a worker in \w+ has done 1 and was killed with SIGKILL in the next$/m);
    assert.match(output, /^unit-\d+ has lost its worker and goes to another$/m);
    assert.equal(output.match(/^kept /gm)?.length, 5, output);
  });

  it("the soaks count what living Workers use and nothing of killed ones", () => {
    const inUse = new InUse(2, 1);
    inUse.begin(0, 1);
    inUse.begin(1, 2);
    assert.equal(inUse.use(1, 0, 2), false);
    assert.equal(inUse.use(2, 0, 2), false);
    assert.equal(inUse.use(2, 0, 2), true, "three of two");
    inUse.unuse(2, 0);
    // Killed: its slots may belong to a Worker that has just started.
    inUse.end(0);
    assert.equal(inUse.use(2, 0, 2), false);
    assert.equal(inUse.use(1, 0, 2), false, "a killed Worker that goes on counts nothing");
    inUse.begin(0, 3);
    assert.equal(inUse.use(3, 0, 2), true, "but its successor does");
  });

  it("the soak of the pool finds no violation in a few seconds", { timeout: 60_000 }, async () => {
    const { code, output } = await run("tests/soak/pool.ts", "--minutes", "0.05");
    assert.equal(code, 0, output);
    assert.match(output, /^ {2}all invariants held/m);
  });

  it(
    "the soak of the limiter finds no violation in a few seconds",
    {
      skip: RUNTIME === "node" && "so short a soak kills Workers faster than Node starts them",
      timeout: 60_000,
    },
    async () => {
      const { code, output } = await run("tests/soak/limiter.ts", "--minutes", "0.05");
      assert.equal(code, 0, output);
      assert.match(output, /^ {2}all invariants held/m);
    },
  );
});
