/** Nothing keeps a finished process alive, and nothing exits while somebody waits. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./fixtures/pool_exit.ts", import.meta.url));

/** Runs the program in this runtime. */
function run(what: string): Promise<{ output: string; ms: number }> {
  const isDeno = process.versions["bun"] === undefined;
  const args = isDeno ? ["run", "-A", "--no-check", PROGRAM, what] : [PROGRAM, what];
  const started = performance.now();
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error !== null) return reject(new Error(`${what}: ${error.message}\n${stderr}`));
      resolve({ output: stdout.trim(), ms: performance.now() - started });
    });
  });
}

describe("a process with a pool", () => {
  it("ends when it has nothing left to do, lease or not", async () => {
    assert.equal((await run("idle")).output, "SLUICE_ACQUIRE_TIMEOUT");
    assert.equal((await run("aborted")).output, "aborted");
    assert.equal((await run("closed")).output, "released");
  });

  it("ends when it has rung another Worker", async () => {
    assert.equal((await run("rang")).output, "waiting granted");
  });

  it("does not end while somebody waits", async () => {
    const { output, ms } = await run("waiting");
    assert.equal(output, "SLUICE_ACQUIRE_TIMEOUT");
    assert.ok(ms > 400, `${ms} ms`);
  });
});
