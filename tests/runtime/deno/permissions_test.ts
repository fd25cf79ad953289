/** What only Deno has: permissions. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { library } from "../../../src/ffi/load.ts";

const MOD = new URL("../../../mod.ts", import.meta.url).href;
const CONFIG = fileURLToPath(new URL("../../../deno.json", import.meta.url));
const SCRIPT = `import { Tokenizer } from ${JSON.stringify(MOD)};
  try { console.log(new Tokenizer("o200k_base").count("Hello, world!")); }
  catch (error) { console.log(error.code, error.message); }`;

/**
 * Runs the script with just these flags. By `Deno.Command`: Deno's `node:child_process` adds
 * permissions to a Deno that it starts, also through a shell.
 */
async function run(flags: string[], env: Record<string, string> = {}): Promise<string> {
  const args = ["run", "--config", CONFIG, "--no-prompt", ...flags, "-"];
  const child = new Deno.Command(Deno.execPath(), { args, env, stdin: "piped", stdout: "piped" })
    .spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(SCRIPT));
  await input.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).trim();
}

describe("Deno permissions", () => {
  it("needs no more than --allow-ffi for the one file", async () => {
    assert.equal(await run([`--allow-ffi=${library().path}`]), "4");
  });

  it("names the flag when it is missing", async () => {
    const message = await run([]);
    assert.match(message, /^SLUICE_FFI_DENIED /);
    assert.ok(message.includes(`--allow-ffi=${library().path}`), message);
  });

  it("reads SLUICE_LIB only if it may", async () => {
    const env = { SLUICE_LIB: "/nowhere/libsluice.so" };
    assert.equal(await run([`--allow-ffi=${library().path}`], env), "4");
    assert.match(await run(["--allow-ffi", "--allow-env"], env), /^SLUICE_LIBRARY_NOT_FOUND /);
  });
});
