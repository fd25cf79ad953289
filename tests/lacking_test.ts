/** Tests that a machine lacks something for: skipped here, failures in CI. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { evalCommand } from "./support/runtime.ts";

const SKIP = process.platform === "win32" && "finds programs on a path of Unix";
const folder = mkdtempSync(join(tmpdir(), "sluice-lacking-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs a program in this runtime. */
function run(program: string, variables: Readonly<Record<string, string>>) {
  const [command, ...args] = evalCommand(program);
  const { status, stdout, stderr } = spawnSync(command!, args, {
    encoding: "utf8",
    // Emptied and not left out: a process of Deno's also gets the variables that are left out.
    env: { ...process.env, NO_COLOR: "1", CI: "", ...variables },
  });
  return { status, output: stdout + stderr };
}

describe("what a machine lacks", () => {
  it("skips tests, and makes them fail in CI", { skip: SKIP }, () => {
    // With one server only.
    writeFileSync(join(folder, "valkey-server"), "", { mode: 0o755 });
    for (
      const [file, path, what] of [
        ["store_server.ts", "", "neither valkey-server nor redis-server is installed"],
        [
          "fake_time.ts",
          folder,
          "(?:libfaketime|redis-server, whose clock can be changed,) is not",
        ],
      ] as const
    ) {
      const url = JSON.stringify(new URL(`support/${file}`, import.meta.url).href);
      const program = `await import(${url}); console.log("imported");`;
      const here = run(program, { PATH: path });
      assert.match(here.output, new RegExp(`^skipped: ${what}`, "m"));
      assert.match(here.output, /^imported$/m);
      const ci = run(program, { PATH: path, CI: "true" });
      assert.notEqual(ci.status, 0, ci.output);
      assert.match(ci.output, new RegExp(`CI must run these tests, but ${what}`));
      assert.doesNotMatch(ci.output, /^imported$/m);
    }
  });

  it("skips a case of the packed packages, and makes it fail in CI", () => {
    const url = JSON.stringify(new URL("packed/cases.ts", import.meta.url).href);
    const program = `
      const { lacks, results, skip } = await import(${url});
      lacks("pnpm adds it", "there is no pnpm");
      skip("another case", "it is for Linux");
      console.log(JSON.stringify(results()));`;
    const here = run(program, {});
    assert.match(here.output, /^skipped pnpm adds it: there is no pnpm$/m);
    assert.match(here.output, /^\{"passed":0,"failed":0,"skipped":2\}$/m);
    const ci = run(program, { CI: "true" });
    assert.match(ci.output, /^FAILED {2}pnpm adds it\n {8}CI must run it, but there is no pnpm$/m);
    assert.match(ci.output, /^skipped another case: it is for Linux$/m);
    assert.match(ci.output, /^\{"passed":0,"failed":1,"skipped":1\}$/m);
  });
});
