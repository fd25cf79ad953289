/** Files of tests that Bun runs one after the other in one thread, each in a new global scope. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";

const MOD = new URL("../../../mod.ts", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "sluice-isolate-"));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [file, cap] of [["a", 1], ["b", 2], ["c", 1]] as const) {
  writeFileSync(
    join(folder, `${file}.test.ts`),
    `import { expect, test } from "bun:test";
     import { UpstreamPool } from ${JSON.stringify(MOD)};
     test("takes all", () => {
       const pool = new UpstreamPool({ name: "p", upstreams: [{ id: "a", maxInFlight: ${cap} }] });
       expect(pool.acquireBatch(5).length).toBe(${cap});
     });`,
  );
}

describe("bun test --isolate", () => {
  it("gives each file what the one before it held", () => {
    const options = { cwd: folder, encoding: "utf8", stdio: "pipe" } as const;
    // Its report goes to stderr, and it fails if a test does.
    execFileSync(process.execPath, ["test", "--isolate"], options);
    const shared = (): string => execFileSync(process.execPath, ["test", "--no-isolate"], options);
    assert.throws(shared, /is open with other options/, "without it they share all");
  });
});
