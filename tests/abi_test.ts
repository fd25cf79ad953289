/**
 * The locks between TypeScript and library: what a user reads when they do not fit, and that they
 * cannot drift apart unseen.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { SluiceError } from "../mod.ts";
import { detectBackend, library, load, native } from "../src/ffi/load.ts";
import { type Candidate, candidates } from "../src/ffi/locate.ts";
import type { Backend } from "../src/ffi/native.ts";
import { ABI_HASH, STATUS_INVALID_HANDLE, statusCodes, symbols } from "../src/ffi/symbols.gen.ts";

const backend: Backend = detectBackend();
let folder = "";

before(() => void (folder = mkdtempSync(join(tmpdir(), "sluice-abi-"))));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Builds a shared library from C, as another version of sluice would look from here. */
function fake(name: string, source: string): Candidate {
  const file = join(folder, `${name}.c`);
  const path = join(folder, `lib${name}.so`);
  writeFileSync(file, source);
  execFileSync("cc", ["-shared", "-fPIC", "-o", path, file]);
  return { path, origin: "local build" };
}

function refusal(places: Candidate[], as: Backend = backend): SluiceError {
  return thrown(() => load(as, places));
}

function thrown(call: () => unknown): SluiceError {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof SluiceError, String(error));
    return error;
  }
  throw new Error("the library was accepted");
}

describe("the locks", () => {
  it("catches an old library before anything else is looked up", () => {
    const error = refusal([fake("old", "int sluice_library_abi_hash(void) { return 7; }")]);
    assert.equal(error.code, "SLUICE_ABI_MISMATCH");
    assert.match(error.message, /libold\.so does not fit this version of sluice/);
    assert.match(error.message, /its ABI hash is 0x00000007, this code needs 0x[0-9a-f]{8}/);
    assert.match(error.message, /make build/);
  });

  it("catches a library that is not sluice", () => {
    const error = refusal([fake("other", "int other(void) { return 1; }")]);
    assert.equal(error.code, "SLUICE_ABI_MISMATCH");
    assert.match(error.message, /it has no ABI hash at all/);
  });

  it("catches a missing symbol behind a right hash when it is first used, and names it", () => {
    const place = fake("gap", `int sluice_library_abi_hash(void) { return ${ABI_HASH}; }`);
    const gap = load(backend, [place]);
    const error = thrown(() => gap.native.sluice_tokenizer_open);
    assert.equal(error.code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.match(error.message, /sluice_tokenizer_open/);
  });

  it("exports what the table declares and nothing else", () => {
    const flags = process.platform === "darwin" ? ["-gU"] : ["-D", "--defined-only"];
    const lines = execFileSync("nm", [...flags, library().path], { encoding: "utf8" });
    const exported = lines.trim().split("\n").map((line) => line.split(" ").at(-1)!)
      .map((name) => name.replace(/^_(?=sluice)/, ""));
    assert.deepEqual(exported.sort(), Object.keys(symbols).sort());
  });

  it("derives its types from the table", () => {
    const fns = native();
    // Never run: each line must be a compile error, in tsc and in deno check.
    const wrong = (): void => {
      // @ts-expect-error: too few arguments
      fns.sluice_tokenizer_close();
      // @ts-expect-error: a buffer is no number
      fns.sluice_tokenizer_count(1, 2, 3, 4);
      // @ts-expect-error: a string is no buffer
      fns.sluice_tokenizer_open("o200k_base", 10);
      // @ts-expect-error: no such symbol
      fns.sluice_tokenizer_coutn(1);
    };
    assert.equal(typeof wrong, "function");
  });

  it("has a code for every status", () => {
    for (const [status, code] of Object.entries(statusCodes)) {
      assert.ok(Number(status) < 0);
      assert.match(code, /^SLUICE_[A-Z0-9_]+$/);
    }
  });
});

describe("finding the library", () => {
  it("says where it looked and how to build it", () => {
    const error = refusal([
      { path: join(folder, "nowhere/libsluice.so"), origin: "platform package" },
      { path: join(folder, "target/release/libsluice.so"), origin: "local build" },
    ]);
    assert.equal(error.code, "SLUICE_LIBRARY_NOT_FOUND");
    assert.match(error.message, /nowhere\/libsluice\.so \(platform package\): no such file/);
    assert.match(error.message, /target\/release\/libsluice\.so \(local build\)/);
    assert.match(error.message, /make build/);
    assert.match(error.message, /SLUICE_LIB/);
  });

  it("says so when a file is there and is no library", () => {
    const path = join(folder, "text.so");
    writeFileSync(path, "not a library\n");
    const error = refusal([{ path, origin: "SLUICE_LIB" }]);
    assert.equal(error.code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.match(error.message, /text\.so \(SLUICE_LIB\) cannot be loaded/);
    assert.ok(error.cause);
  });

  it("takes the first that is there", () => {
    const real = library().path;
    const found = load(backend, [
      { path: join(folder, "absent.so"), origin: "platform package" },
      { path: real, origin: "local build" },
    ]);
    assert.deepEqual([found.path, found.origin], [real, "local build"]);
  });

  it("asks only SLUICE_LIB if that is set", () => {
    const named = { ...backend, environment: () => "/opt/libsluice.so" };
    assert.deepEqual([...candidates(named)], [{ path: "/opt/libsluice.so", origin: "SLUICE_LIB" }]);
    const unset = { ...backend, environment: () => "" };
    assert.equal([...candidates(unset)].at(-1)?.origin, "local build");
  });

  it("names a platform that it has nothing for", () => {
    const plain = { ...backend, environment: () => undefined };
    for (const platform of ["sunos-x64", "linux-ia32"]) {
      assert.throws(() => [...candidates({ ...plain, platform })], (error: SluiceError) => {
        assert.equal(error.code, "SLUICE_UNSUPPORTED_PLATFORM");
        assert.match(error.message, new RegExp(`no native library for ${platform}`));
        return true;
      });
    }
    const last = (platform: string) => [...candidates({ ...plain, platform })].at(-1)!.path;
    assert.ok(last("darwin-arm64").endsWith("libsluice.dylib"));
    assert.ok(last("win32-x64").endsWith("sluice.dll"));
    assert.equal(plain.platform, `${process.platform}-${process.arch}`);
  });

  it("knows the path of a URL", () => {
    for (const path of ["/opt/a b/ü%20?#.so", "/lib.so"]) {
      assert.equal(backend.pathOf(pathToFileURL(path).href), path);
    }
  });

  it("names the flag when the runtime forbids the library", () => {
    const permissionFor = (paths: readonly string[]) => `--allow-ffi=${paths.join()}`;
    const strict = { ...backend, permits: () => false, permissionFor };
    const error = refusal([{ path: "/opt/libsluice.so", origin: "local build" }], strict);
    assert.equal(error.code, "SLUICE_FFI_DENIED");
    assert.match(error.message, /Run with --allow-ffi=\/opt\/libsluice\.so/);
  });
});

describe("garbage straight at the ABI", () => {
  it("answers forged handles with a status", () => {
    const text = new Uint8Array(8);
    // An even generation is never open; another test of this process may hold slot 1 in an odd one.
    for (const handle of [0, 1, 0xffff, 0x20001, 0x7fffffff, 0xffffffff]) {
      assert.equal(native().sluice_tokenizer_close(handle), STATUS_INVALID_HANDLE);
      assert.equal(native().sluice_tokenizer_count(handle, text, 8, 0), STATUS_INVALID_HANDLE);
    }
  });

  it("refuses a use of a closed handle, also once its slot is taken again", () => {
    const name = new TextEncoder().encode("o200k_base");
    const open = (): number => native().sluice_tokenizer_open(name, name.length);
    const stale = open();
    assert.equal(native().sluice_tokenizer_close(stale), 0);
    for (let i = 0; i < 5000; i++) {
      const handle = open();
      assert.notEqual(handle, stale);
      assert.equal(native().sluice_tokenizer_close(stale), STATUS_INVALID_HANDLE);
      assert.equal(native().sluice_tokenizer_close(handle), 0);
    }
  });
});
