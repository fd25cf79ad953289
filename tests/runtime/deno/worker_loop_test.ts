/**
 * Deno 2.9 ends a terminated Worker when that returns to its event loop, and never interrupts it. What was
 * taken for native calls that swallow a termination is that: plain code goes on as well.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../fixtures/worker_loops.ts", import.meta.url));

/** What became of terminated Workers. */
interface Left {
  readonly going: number;
  readonly inFlight: number;
  readonly members: number;
}

async function left(what: string, turns: "turns" | "none", workers: number): Promise<Left> {
  const args = ["run", "-A", "--no-check", PROGRAM, what, turns, `${workers}`];
  const signal = AbortSignal.timeout(120_000);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, signal })
    .output();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stderr));
  return JSON.parse(text.decode(stdout)) as Left;
}

describe("a Worker that is terminated in an endless loop", () => {
  for (const what of ["count", "takeBatch"]) {
    it(`ends if the loop lets the event loop run, and leaves nothing: ${what}`, async () => {
      assert.deepEqual(await left(what, "turns", 40), { going: 0, inFlight: 0, members: 1 });
    });
  }

  it("goes on if it does not, as with code that calls nothing; its leases come back by time", async () => {
    const workers = 2;
    const { going } = await left("plain", "none", workers);
    // If this fails, Deno interrupts Workers now: docs/upstream-pool.md and docs/internals.md say that it does not.
    assert.equal(going, workers);
    for (const what of ["count", "takeBatch"]) {
      const native = await left(what, "none", workers);
      assert.deepEqual(native, { going: workers, inFlight: 0, members: 1 + workers }, what);
    }
  });
});
