/**
 * A runtime that is too old can import the package, so that the first use can say what is needed. The command of an old
 * Node.js runs in another runtime.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runCommand, RUNTIME } from "./support/runtime.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));

it("the package can be imported where there is no ArrayBuffer.prototype.detached", () => {
  const [command, ...args] = runCommand(fixture("old_runtime"));
  assert.equal(execFileSync(command!, args, { encoding: "utf8" }).trim(), "Tokenizer");
});

describe("another runtime", {
  skip: process.platform === "win32" && "its commands are shell scripts",
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-elsewhere-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Puts a command on the path that prints its arguments and exits with 5. */
  function put(name: string, mode: number): void {
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${name} "$@"\nexit 5\n`, { mode });
  }

  function run(): string[] {
    const [command, ...args] = runCommand(fixture("elsewhere"));
    const env = { ...process.env, PATH: folder, NO_COLOR: "1" };
    return execFileSync(command!, [...args, "x y"], { encoding: "utf8", env }).trim().split("\n");
  }

  it("is started by Node.js only, so that none starts itself", () => {
    assert.deepEqual(run(), ["none"]);
    put("deno", 0o755);
    const ran = ["deno run --allow-all program.js x y", "5"];
    assert.deepEqual(run(), RUNTIME === "node" ? ran : ["none"]);
    // What is not executable is no command.
    put("bun", 0o644);
    assert.deepEqual(run(), RUNTIME === "node" ? ran : ["none"]);
  });
});
