/**
 * What loaders say of a library that they refuse, and what sluice makes of it. The messages of glibc 2.36 and musl 1.2.5
 * were seen, and so were those of Windows in Bun (by Wine 8). Those of Windows in Deno and Node.js, and of macOS, are from
 * documentation and reports of users, and were not seen.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SluiceError } from "../mod.ts";
import { detectBackend, load } from "../src/ffi/load.ts";
import type { Candidate } from "../src/ffi/locate.ts";

const MISSING = "SLUICE_LIBRARY_NOT_FOUND";
const REFUSED = "SLUICE_LIBRARY_NOT_LOADED";

/** How each runtime puts the words of a loader. */
const bun = (words: string, path = "/a b/l.so"): string =>
  `Failed to open library "${path}": ${words}`;
const deno = (words: string): string => `Could not open library: Could not open library: ${words}`;
const node = (words: string): string => `dlopen failed: ${words}`;

/** The error about a library at `path`, if its loader says `words`. */
function told(
  words: string,
  candidate: Candidate,
  exists?: boolean,
  platform = "linux-x64",
): SluiceError {
  const open = (): never => {
    throw new Error(words);
  };
  const backend = { ...detectBackend(), platform, permits: () => true, exists: () => exists, open };
  try {
    load(backend, [candidate]);
  } catch (error) {
    return error as SluiceError;
  }
  throw new Error("it was loaded");
}

interface Case {
  readonly words: string;
  readonly code: string;
  /** What the message says. */
  readonly says?: RegExp;
  /** Whether the file exists. Both, and that it is not known, unless named. */
  readonly exists?: boolean | undefined;
}

function check(cases: readonly Case[], path: string, platform: string): void {
  for (const it of cases) {
    const existences = "exists" in it ? [it.exists] : [true, false, undefined];
    for (const exists of existences) {
      if (it.code === MISSING && exists === true) continue;
      const { code, message } = told(it.words, { path, origin: "SLUICE_LIB" }, exists, platform);
      assert.equal(code, it.code, `${it.words} (exists: ${exists})`);
      assert.match(message, it.says ?? /./);
    }
  }
}

describe("the words of glibc", () => {
  const path = "/a b/l.so";
  const NO_FILE = "cannot open shared object file: No such file or directory";
  it("are distinguished", () => {
    for (const runtime of [bun, deno, node]) {
      check(
        [
          { words: runtime(`${path}: ${NO_FILE}`), code: MISSING },
          // It says so too of a file of another processor that it has just read.
          { words: runtime(`${path}: ${NO_FILE}`), code: REFUSED, exists: true, says: /processor/ },
          // A library of the same name elsewhere, and one whose path ends like this one.
          { words: runtime(`l.so: ${NO_FILE}`), code: REFUSED, says: /needs l\.so, which this/ },
          { words: runtime(`/opt${path}: ${NO_FILE}`), code: REFUSED, says: /needs \/opt\/a b\/l/ },
          {
            words: runtime(`dep.so.7: ${NO_FILE}`),
            code: REFUSED,
            says: /needs dep\.so\.7, which/,
          },
          {
            words: runtime(`libgcc_s.so.1: ${NO_FILE}`),
            code: REFUSED,
            says: /It needs libgcc_s\.so\.1, which this system does not have\.\n/,
          },
          {
            words: runtime(`libc.musl-x86_64.so.1: ${NO_FILE}`),
            code: REFUSED,
            says: /with musl as its C library\. This one has glibc, like Debian: .*linux-x64-gnu/,
          },
          {
            words: runtime("/lib/x86_64-linux-gnu/libc.so: invalid ELF header"),
            code: REFUSED,
            says: /built for another system, with musl/,
          },
          {
            words: runtime(`/lib/libc.so.6: version \`GLIBC_2.34' not found (required by ${path})`),
            code: REFUSED,
            says: /It needs GLIBC_2\.34: the C library of this system is older/,
          },
          {
            words: runtime(`${path}: wrong ELF class: ELFCLASS32`),
            code: REFUSED,
            says: /or proc/,
          },
          { words: runtime(`${path}: file too short`), code: REFUSED, says: /is damaged/ },
          { words: runtime(`${path}: undefined symbol: x`), code: REFUSED, says: /is damaged/ },
          { words: runtime(`${path}: cannot read file data: Is a directory`), code: REFUSED },
          {
            words: runtime(`${path}: failed to map segment from shared object`),
            code: REFUSED,
            says: /noexec/,
          },
          {
            words: runtime(`${path}: cannot open shared object file: Permission denied`),
            code: REFUSED,
            says: /may not be read/,
          },
        ],
        path,
        "linux-x64",
      );
    }
  });
});

describe("a path in the words of glibc", () => {
  const NO_FILE = "cannot open shared object file: No such file or directory";
  const at = (path: string, named: string, exists?: boolean): SluiceError =>
    told(bun(`${named}: ${NO_FILE}`, path), { path, origin: "SLUICE_LIB" }, exists);

  it("may be relative, and be made absolute by the runtime", () => {
    for (const exists of [false, undefined]) {
      for (const path of ["l.so", "./l.so", "../a b/l.so"]) {
        assert.equal(at(path, path, exists).code, MISSING, path);
        assert.equal(at(path, "/home/a b/l.so", exists).code, MISSING, path);
        assert.match(
          at(path, "/home/other.so", exists).message,
          /It needs \/home\/other\.so, which/,
        );
      }
    }
  });

  it("may contain what ends it in other messages", () => {
    const path = "/a: b/l.so";
    assert.equal(at(path, path, false).code, MISSING);
    assert.match(at(path, path, true).message, /or processor than/);
  });

  it("is searched for elsewhere if it names no folder", () => {
    const { code, message } = at("l.so", "l.so", true);
    assert.equal(code, REFUSED);
    assert.match(message, /names no folder.*write \.\/l\.so\n/);
  });
});

describe("the words of musl", () => {
  const path = "/a b/l.so";
  const failed = (file: string, why: string): string =>
    `Error loading shared library ${file}: ${why}`;
  const NO_FILE = "No such file or directory";
  it("are distinguished", () => {
    for (const runtime of [bun, node]) {
      check(
        [
          { words: runtime(failed(path, NO_FILE)), code: MISSING },
          { words: runtime(failed(`/opt${path}`, NO_FILE)), code: REFUSED },
          {
            words: runtime(failed("ld-linux-x86-64.so.2", `${NO_FILE} (needed by ${path})`)),
            code: REFUSED,
            says: /with glibc as its C library\. This one has musl, like Alpine Linux: .*-musl/,
          },
          {
            words: runtime(failed("dep.so.7", `${NO_FILE} (needed by ${path})`)),
            code: REFUSED,
            says: /It needs dep\.so\.7, which this system does not have\.\n/,
          },
          {
            words: runtime(`Error relocating ${path}: __res_init: symbol not found`),
            code: REFUSED,
            says: /with glibc/,
          },
          { words: runtime(failed(path, "Exec format error")), code: REFUSED, says: /is damaged/ },
          {
            words: runtime(failed(path, "Operation not permitted")),
            code: REFUSED,
            says: /noexec/,
          },
        ],
        path,
        "linux-x64",
      );
    }
  });
});

describe("the words of macOS", () => {
  const path = "/l.dylib";
  const tried = (why: string): string => `dlopen(${path}, 0x0005): tried: '${path}' (${why})`;
  it("are distinguished", () => {
    check(
      [
        { words: tried("no such file"), code: MISSING },
        {
          words: `${tried("no such file")}, '/System/Volumes/Preboot/Cryptexes/OS${path}' (no ` +
            `such file), '${path}' (no such file)`,
          code: MISSING,
        },
        {
          words: `dlopen(${path}, 0x0005): Library not loaded: /opt/x.dylib\n  Referenced from: ` +
            `${path}\n  Reason: tried: '/opt/x.dylib' (no such file), '${path}' (no such file)`,
          code: REFUSED,
          says: /It needs \/opt\/x\.dylib, which this system does not have/,
        },
        {
          words: tried(
            "mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64')",
          ),
          code: REFUSED,
          says: /another system or processor than darwin-arm64/,
        },
      ],
      path,
      "darwin-arm64",
    );
  });
});

describe("the words of Windows", () => {
  const path = "C:\\l.dll";
  const MODULE = "The specified module could not be found.";
  it("are distinguished", () => {
    for (
      const words of [
        bun("error code 126", path),
        deno(`LoadLibraryExW failed: ${MODULE} (os error 126)`),
        node(`${MODULE}\r\n${path}`),
      ]
    ) {
      check(
        [
          { words, code: MISSING, exists: false },
          { words, code: MISSING, exists: undefined },
          { words, code: REFUSED, exists: true, says: /needs a library that this system does not/ },
        ],
        path,
        "win32-x64",
      );
    }
    check(
      [
        // A library that it needs is there, and is an older one.
        {
          words: deno("The specified procedure could not be found. (os error 127)"),
          code: REFUSED,
          says: /is damaged/,
        },
        { words: bun("error code 127", path), code: REFUSED },
        { words: bun("error code 193", path), code: REFUSED, says: /or processor than win32-x64/ },
        {
          words: deno(`${path} is not a valid Win32 application. (os error 193)`),
          code: REFUSED,
          says: /or processor than win32-x64/,
        },
        { words: bun("error code 5", path), code: REFUSED, says: /may not be read/ },
      ],
      path,
      "win32-x64",
    );
  });
});
