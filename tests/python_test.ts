/** The Python binding keeps its promises: its own tests, which compare it with tiktoken, run once. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { NO_PYTHON } from "./support/python.ts";
import { PYTHON, STATE } from "./support/python_environment.ts";
import { RUNTIME } from "./support/runtime.ts";

const isBun = RUNTIME === "bun";
const ROOT = fileURLToPath(new URL("..", import.meta.url));

describe("python/sluice_arrow.py", () => {
  // No line of it depends on the runtime that starts Python.
  it("passes its own tests", { skip: NO_PYTHON || !isBun, timeout: 120_000 }, async () => {
    const args = ["-m", "unittest", "python/test_sluice_arrow.py"];
    const env = { ...process.env, ...STATE };
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) =>
      execFile(PYTHON, args, { cwd: ROOT, env, timeout: 110_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
      })
    );
    assert.equal(code, 0, output);
    const ran = Number(/^Ran (\d+) tests in /m.exec(output)?.[1]);
    assert.ok(ran >= 20, output);
    // Without "(skipped=1)" behind it.
    assert.match(output, /^OK$/m);
  });
});
