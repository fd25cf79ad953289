/** Libraries that are there and cannot be loaded: each is told from one that is not there. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import type { SluiceError } from "../mod.ts";
import { detectBackend, load } from "../src/ffi/load.ts";
import type { Candidate } from "../src/ffi/locate.ts";
import type { Backend } from "../src/ffi/native.ts";

const backend: Backend = detectBackend();
const folder = mkdtempSync(join(tmpdir(), "sluice-broken-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function refusal(
  path: string,
  origin: Candidate["origin"] = "platform package",
  as: Backend = backend,
): SluiceError {
  try {
    load(as, [{ path, origin }]);
  } catch (error) {
    return error as SluiceError;
  }
  throw new Error(`${path} was loaded`);
}

/** Builds a library that needs `needed`, and returns the paths of both. */
function chain(name: string, needed: string): { path: string; needs: string } {
  const [path, needs] = [join(folder, `lib${name}.so`), join(folder, needed)];
  const compile = (out: string, code: string, ...more: string[]): void =>
    void execFileSync("cc", ["-shared", "-fPIC", "-o", out, "-x", "c", "-", ...more], {
      input: code,
    });
  compile(needs, "int needed(void) { return 1; }", `-Wl,-soname,${needed}`);
  const link = ["-x", "none", needs];
  compile(
    path,
    "int needed(void); int sluice_library_abi_hash(void) { return needed(); }",
    ...link,
  );
  return { path, needs };
}

/** A copy of a library with one byte of its header changed. */
function changed(name: string, source: string, at: number, byte: number): string {
  const path = join(folder, name);
  const bytes = readFileSync(source);
  bytes[at] = byte;
  writeFileSync(path, bytes);
  return path;
}

describe("a library that is not there", () => {
  it("is one whose file is not, or a link to nothing", () => {
    symlinkSync(join(folder, "nowhere"), join(folder, "link.so"));
    for (const name of ["absent.so", "link.so", "absent/lib.so"]) {
      const error = refusal(join(folder, name), "local build");
      assert.equal(error.code, "SLUICE_LIBRARY_NOT_FOUND");
      assert.ok(error.message.includes(`${join(folder, name)} (local build): no such file`));
    }
  });

  it("is in a package that is named if it is not installed", () => {
    const name = `@sluice/${process.platform}-${process.arch}`;
    const { message } = refusal(join(folder, "absent.so"), "local build");
    assert.match(message, new RegExp(`The package ${name}\\S* is not installed`));
    assert.match(message, new RegExp(`npm install ${name}`));
    assert.match(
      refusal(join(folder, "absent.so")).message,
      new RegExp(`${name}.* install it anew`),
    );
    assert.doesNotMatch(refusal(join(folder, "absent.so"), "SLUICE_LIB").message, /@sluice/);
  });
});

describe("a library that is there", () => {
  const isLinux = process.platform === "linux";

  it("is named with what it needs", { skip: !isLinux }, () => {
    const { path, needs } = chain("needy", "libsluice-needed.so.7");
    rmSync(needs);
    const error = refusal(path);
    assert.equal(error.code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.ok(error.message.includes(`${path} (platform package) cannot be loaded`));
    assert.match(
      error.message,
      /It needs libsluice-needed\.so\.7, which this system does not have\./,
    );
    assert.doesNotMatch(error.message, /glibc/);
  });

  it("is damaged, or for another processor", { skip: !isLinux }, () => {
    const { path: sound } = chain("sound", "libsluice-there.so");
    writeFileSync(join(folder, "text.so"), "not a library\n");
    writeFileSync(join(folder, "long.so"), "not a library\n".repeat(1000));
    writeFileSync(join(folder, "empty.so"), "");
    mkdirSync(join(folder, "folder.so"));
    const wrong = [
      changed("class.so", sound, 4, 1),
      // glibc says "No such file or directory" of a file that it has just read.
      changed("processor.so", sound, 18, process.arch === "arm64" ? 62 : 183),
      ...["text.so", "long.so", "empty.so", "folder.so"].map((name) => join(folder, name)),
    ];
    // Without the permission to look, that is all there is to tell.
    const unsure = refusal(wrong[1]!, "platform package", { ...backend, exists: () => undefined });
    assert.equal(unsure.code, "SLUICE_LIBRARY_NOT_FOUND");
    assert.match(unsure.message, /no such file \(or one for another processor.*--allow-read/);
    for (const path of wrong) {
      const { code, message, cause } = refusal(path);
      assert.equal(code, "SLUICE_LIBRARY_NOT_LOADED", path);
      assert.ok(message.includes(`${path} (platform package) cannot be loaded`));
      assert.match(
        message,
        /built for another system or processor than linux-.*, or is damaged: install its package anew/,
      );
      assert.ok(cause instanceof Error);
    }
  });
});
