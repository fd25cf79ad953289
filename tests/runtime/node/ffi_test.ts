/** What only Node has: `node:ffi`, which may be off, forbidden, or absent. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { detectBackend, library, load } from "../../../src/ffi/load.ts";
import { whyNoFfi } from "../../../src/ffi/node.ts";
import { own } from "../../../src/ffi/own_memory.ts";
import { STATUS_INVALID_HANDLE } from "../../../src/ffi/symbols.gen.ts";
import { collect } from "../../fixtures/garbage.ts";

const MOD = new URL("../../../mod.ts", import.meta.url).href;
const PROGRAM = `import { Tokenizer } from ${JSON.stringify(MOD)};
  try { console.log(new Tokenizer("o200k_base").count("Hello, world!")); }
  catch (error) { console.log(error.code, error.message); }`;

function run(...flags: string[]): { stdout: string; stderr: string } {
  const args = [...flags, "--input-type=module", "--eval", PROGRAM];
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}

describe("node:ffi", () => {
  it("needs --allow-ffi under --permission, which the error names", () => {
    const all = ["--permission", "--allow-fs-read=*"];
    assert.match(run(...all).stdout, /^SLUICE_FFI_DENIED .* Run with --allow-ffi$/m);
    assert.equal(run(...all, "--allow-ffi").stdout, "4\n");
  });

  it("is asked for by name where it was turned off", () => {
    const { stdout } = run("--no-experimental-ffi");
    assert.match(stdout, /^SLUICE_UNSUPPORTED_PLATFORM sluice needs Bun, Deno or Node.js 26.9 /);
    assert.match(stdout, /start it without --no-experimental-ffi$/m);
  });

  it("is what an older or another Node lacks", () => {
    assert.match(whyNoFfi("v24.3.0", true), /this is Node.js 24.3.0, which has no node:ffi/);
    assert.match(whyNoFfi("v26.4.0", true), /off: start it with --experimental-ffi/);
    assert.match(whyNoFfi("v26.9.0", false), /built without node:ffi/);
    assert.match(whyNoFfi("v27.0.0", true), /start it without --no-experimental-ffi/);
  });

  it("prints its warning when the library is first used, and never on import", () => {
    assert.match(run().stderr, /ExperimentalWarning: FFI/);
    const flag = "--disable-warning=ExperimentalWarning";
    assert.equal(run(flag).stderr, "");
    const args = ["--input-type=module", "--eval", `import ${JSON.stringify(MOD)}`];
    assert.equal(spawnSync(process.execPath, args, { encoding: "utf8" }).stderr, "");
  });

  it("names the asset that a single executable lacks, and no checkout", () => {
    const executable = { asset: () => undefined };
    const backend = { ...detectBackend(), platform: "linux-x64", executable };
    assert.throws(() => load(backend, []), (error: Error) => {
      assert.match(error.message, /^It is not in this executable: add .* sluice\/libsluice\.so/m);
      assert.match(error.message, /docs\/single-executables\.md/);
      assert.doesNotMatch(error.message, /checkout|was not installed|Deno/);
      return true;
    });
  });

  it("is used by the command without its warning", () => {
    const bin = fileURLToPath(new URL("../../../src/cli/bin.ts", import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [bin, "count"], {
      encoding: "utf8",
      input: "Hello, world!",
    });
    assert.deepEqual([stdout.trim(), stderr], ["4", ""]);
  });

  it("refuses garbage by an error, and survives every kind of buffer", () => {
    const { sluice_tokenizer_count: count } = library().native;
    const call = count as (...args: unknown[]) => number;
    const bytes = new Uint8Array(8);
    // As in the other runtimes, a number that is none becomes a handle that is not open.
    for (const handle of [-1, NaN, 2 ** 32, "none", undefined]) {
      assert.equal(call(handle, bytes, 8, 0), STATUS_INVALID_HANDLE, String(handle));
    }
    for (const length of [-1, NaN, undefined]) assert.ok(call(0, bytes, length, 0) < 0);
    assert.throws(() => call(1n, bytes, 8, 0), TypeError);
    // An address is never taken from a caller.
    for (const buffer of [{}, 4096, 4096n, "text", null, undefined]) {
      assert.throws(() => call(0, buffer, 8, 0), { code: "ERR_INVALID_ARG_TYPE" });
    }
    const detached = new Uint8Array(8);
    structuredClone(detached, { transfer: [detached.buffer] });
    assert.throws(() => call(0, detached, 0, 0), { code: "ERR_INVALID_ARG_VALUE" });
    const shrunk = new ArrayBuffer(8, { maxByteLength: 64 });
    const outside = new Uint8Array(shrunk, 4, 4);
    shrunk.resize(2);
    const buffers = [
      new Uint8Array(0),
      new Uint8Array(new SharedArrayBuffer(8)),
      new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
      outside,
    ];
    for (const buffer of buffers) assert.ok(call(0, buffer, buffer.length, 0) < 0);
  });

  it("passes arguments through the call block as node:ffi itself does", () => {
    const { DynamicLibrary } = process.getBuiltinModule("node:ffi" as "fs") as unknown as {
      DynamicLibrary: new (path: string) => {
        getFunctions(table: object): Record<string, (...args: unknown[]) => number>;
      };
    };
    const { native, path } = library();
    const args = ["u32", "buffer", "u32", "u32", "buffer", "u32"];
    const name = "sluice_tokenizer_encode";
    const { [name]: theirs } = new DynamicLibrary(path)
      .getFunctions({ [name]: { arguments: args, return: "i32" } });
    const text = new TextEncoder().encode("Two ways for one call, and the same ids. ".repeat(9));
    const [one, two, owned] = [
      new Uint32Array(128),
      new Uint32Array(128),
      own(new Uint32Array(128)),
    ];
    const handle = native.sluice_tokenizer_open(new TextEncoder().encode("o200k_base"), 10);
    assert.ok(handle > 0);
    const count = theirs!(handle, text, text.length, 0, one, one.length);
    assert.ok(count > 80 && count < 128);
    for (let i = 0; i < 3; i++) {
      for (const out of [two, owned]) {
        out.fill(0);
        assert.equal(native[name](handle, text, text.length, 0, out, out.length), count);
        assert.deepEqual(out, one);
      }
      collect();
    }
    native.sluice_tokenizer_close(handle);
  });

  it("has one library for each path, which is never closed", () => {
    const backend = detectBackend();
    const table = { sluice_library_abi_hash: { args: [], returns: "i32" } } as const;
    const [one, two] = [0, 1].map(() => backend.open(library().path, table));
    assert.equal(one!.sluice_library_abi_hash, two!.sluice_library_abi_hash);
  });
});
