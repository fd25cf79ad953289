/** No timer keeps a finished process alive, and no process exits while a request is queued. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runOptions } from "./support/runtime.ts";

const PROGRAM = fileURLToPath(new URL("./fixtures/pool_exit.ts", import.meta.url));

/** Runs the program in this runtime. */
function run(what: string): Promise<{ output: string; ms: number }> {
  const args = [...runOptions(), PROGRAM, what];
  const started = performance.now();
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error !== null) return reject(new Error(`${what}: ${error.message}\n${stderr}`));
      resolve({ output: stdout.trim(), ms: performance.now() - started });
    });
  });
}

describe("a process with a pool", () => {
  it("exits when there is no work left, even with a lease in use", async () => {
    assert.equal((await run("idle")).output, "SLUICE_ACQUIRE_TIMEOUT");
    assert.equal((await run("aborted")).output, "aborted");
    assert.equal((await run("closed")).output, "released");
  });

  it("exits after waking another Worker", async () => {
    assert.equal((await run("rang")).output, "waiting granted");
  });

  it("does not exit while a request is queued", async () => {
    const { output, ms } = await run("waiting");
    assert.equal(output, "SLUICE_ACQUIRE_TIMEOUT");
    assert.ok(ms > 400, `${ms} ms`);
  });
});
