/** What the check of a built library finds, in real ELF libraries and in the smallest Mach-O and PE ones. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { judgeLibrary, MAX_BYTES } from "../scripts/release/check_library.ts";
import { type Target, TARGETS } from "../scripts/release/targets.ts";
import { symbols } from "../src/ffi/symbols.gen.ts";
import { tinyMachO, tinyPe } from "./fixtures/tiny_libraries.ts";
import { lacking } from "./support/lacking.ts";
import { isOnPath } from "./support/on_path.ts";

const NAMES = Object.keys(symbols);
const folder = mkdtempSync(join(tmpdir(), "sluice-check-"));
after(() => rmSync(folder, { recursive: true }));

function target(name: string): Target {
  return TARGETS.find((target) => target.name === name)!;
}

/** This machine's own target. */
const OWN = target(`linux-${process.arch}-gnu`);
const NOT_LINUX = process.platform === "linux" ? false : "needs ELF libraries of this machine";
const NO_CC = NOT_LINUX || (isOnPath("cc") ? false : lacking("there is no C compiler"));

/** A library that `cc` made, with all names unless told, and the faults that the check finds in it. */
function faultsOf(
  options: readonly string[],
  names: readonly string[] = NAMES,
  code = "",
): string[] {
  const [source, library] = [join(folder, "tiny.c"), join(folder, "tiny.so")];
  writeFileSync(source, names.map((name) => `int ${name}(void) { return 0; }\n`).join("") + code);
  const linked = ["-shared", "-fPIC", "-nostdlib", "-o", library, source, ...options];
  execFileSync("cc", linked, { stdio: "pipe" });
  return [...judgeLibrary(readFileSync(library), { ...OWN, cpu: "x64" }).faults];
}

describe("the check of a library", { skip: NO_CC }, () => {
  const needsC = ["-Wl,--no-as-needed", "-lc"];
  const options = ["-Wl,-z,nodelete", `-Wl,-z,noexecstack`, ...needsC];
  const skip = process.arch === "x64" ? false : "compiles for x64";

  it("finds no fault in what keeps all promises", { skip }, () => {
    assert.deepEqual(faultsOf(options), []);
    // The older table of symbols.
    assert.deepEqual(faultsOf([...options, "-Wl,--hash-style=sysv"]), []);
  });

  it("names what is exported and not in the table, and what is lacking", { skip }, () => {
    assert.deepEqual(faultsOf(options, [...NAMES.slice(2), "rust_eh_personality"]), [
      `does not export ${NAMES.slice(0, 2).join(", ")}`,
      "exports, beyond the table, rust_eh_personality",
    ]);
  });

  it("sees each property that would keep a loader from taking it", { skip }, () => {
    assert.deepEqual(faultsOf(["-Wl,-z,noexecstack", ...needsC]), [
      "is unloaded when it is closed",
    ]);
    assert.deepEqual(faultsOf(["-Wl,-z,nodelete", "-Wl,-z,execstack", ...needsC]), [
      "asks for an executable stack",
    ]);
    assert.deepEqual(faultsOf([...options, "-Wl,-rpath,/opt/rust"]), [
      "searches libraries in /opt/rust",
    ]);
    assert.deepEqual(faultsOf([...options, "-Wl,--no-as-needed", "-lstdc++"]).map(firstWords), [
      "needs, beyond what every system has,",
    ]);
  });

  it(
    "sees that the C library is missing, as it is where it was linked statically",
    { skip },
    () => {
      assert.deepEqual(faultsOf(options.filter((it) => !needsC.includes(it))), [
        "does not need the C library of the process, which is glibc",
      ]);
    },
  );

  it("takes no version of glibc that has no number for an old one", { skip }, () => {
    const [map, source, c] = ["c.map", "c.c", "libc.so.6"].map((name) => join(folder, name));
    writeFileSync(map!, "GLIBC_PRIVATE { of_glibc_alone; };\n");
    writeFileSync(source!, "int of_glibc_alone(void) { return 0; }\n");
    const named = ["-Wl,-soname,libc.so.6", `-Wl,--version-script=${map}`];
    execFileSync("cc", ["-shared", "-fPIC", "-nostdlib", ...named, "-o", c!, source!]);
    const user = "extern int of_glibc_alone(void);\n" +
      "__attribute__((used)) static int (*volatile use)(void) = of_glibc_alone;\n";
    const linked = [...options.slice(0, 2), c!];
    assert.deepEqual(faultsOf(linked, NAMES, user), ["needs GLIBC_PRIVATE, newer than 2.17"]);
  });
});

/** Up to the names. */
function firstWords(fault: string): string {
  return fault.replace(/,[^,]*$/, ",");
}

describe("the check of the library of this machine", { skip: NOT_LINUX }, () => {
  const bytes = readFileSync("target/release/libsluice.so");

  it("finds no fault but the C library of the machine that built it", () => {
    const { facts, faults } = judgeLibrary(bytes, OWN);
    assert.deepEqual(faults.filter((fault) => !fault.startsWith("needs GLIBC_")), []);
    assert.deepEqual(facts?.exports, NAMES.toSorted());
  });

  it("finds versions of glibc that are too new", () => {
    const { faults } = judgeLibrary(bytes, { ...OWN, glibc: "2.1" as "2.17" });
    assert.match(faults.join(), /needs GLIBC_2\.\d+.*, newer than 2\.1$/);
  });

  it("finds another processor, another system and too many bytes", () => {
    const other = OWN.cpu === "x64" ? "arm64" : "x64";
    const { faults } = judgeLibrary(bytes, { ...OWN, cpu: other });
    assert.ok(faults.includes(`is for ${OWN.cpu}, not for ${other}`));
    assert.ok(judgeLibrary(bytes, target("darwin-x64")).faults.includes("is ELF, not Mach-O"));
    const longer = new Uint8Array(MAX_BYTES + 1);
    longer.set(bytes.subarray(0, MAX_BYTES));
    assert.ok(
      judgeLibrary(longer, OWN).faults.includes("has 13000001 bytes, more than 13000000"),
    );
  });

  it("says of a file that is cut off or no library what it is", () => {
    assert.deepEqual(judgeLibrary(bytes.subarray(0, 5000), OWN).facts, undefined);
    assert.deepEqual(judgeLibrary(new Uint8Array(3), OWN).faults, [
      "not a library: it has 3 bytes",
    ]);
    assert.deepEqual(judgeLibrary(new Uint8Array(100), OWN).faults, [
      "not a 64-bit library: it begins with 0x0",
    ]);
    const program = readFileSync(process.execPath).subarray(0, 1e6);
    assert.equal(judgeLibrary(program, OWN).faults.length, 1);
  });
});

describe("the check of a Mach-O library", () => {
  const mac = target("darwin-arm64");
  const faults = (...args: Parameters<typeof tinyMachO>) =>
    judgeLibrary(tinyMachO(...args), mac).faults;

  it("reads exports, needed libraries, the signature and the oldest macOS", () => {
    assert.deepEqual(faults(NAMES), []);
    assert.deepEqual(faults(NAMES.slice(1)), [`does not export ${NAMES[0]}`]);
    assert.deepEqual(faults(NAMES, { needed: "/opt/lib/libz.dylib" }), [
      "needs, beyond what every system has, /opt/lib/libz.dylib",
    ]);
    assert.deepEqual(faults(NAMES, { isSigned: false }), ["has no code signature"]);
    assert.deepEqual(faults(NAMES, { major: 14 }), ["is for macOS 14.0, newer than 11.0"]);
    assert.deepEqual(faults(NAMES, { platform: 2 }), ["is for another platform than macOS"]);
    assert.deepEqual(faults(NAMES, { rpath: "@loader_path" }), [
      "searches libraries in @loader_path",
    ]);
  });
});

describe("the check of a PE library", () => {
  const windows = target("win32-x64");

  it("reads exports and needed libraries", () => {
    assert.deepEqual(judgeLibrary(tinyPe(NAMES, ["KERNEL32.dll"]), windows).faults, []);
    assert.deepEqual(
      judgeLibrary(tinyPe(NAMES.slice(1), ["ntdll.dll", "VCRUNTIME140.dll"]), windows).faults,
      [
        `does not export ${NAMES[0]}`,
        "needs, beyond what every system has, VCRUNTIME140.dll",
      ],
    );
  });
});
