/** The order in which libraries are tried, and which of those that cannot be loaded end the search. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import type { SluiceError } from "../mod.ts";
import { detectBackend, type Library, library, load } from "../src/ffi/load.ts";
import {
  type Candidate,
  candidates,
  localBuild,
  packagesOf,
  PLATFORMS,
  type Search,
} from "../src/ffi/locate.ts";
import type { Backend, Functions, SymbolTable } from "../src/ffi/native.ts";

const SKIP = process.platform !== "linux" && "packages for two C libraries exist on Linux only";
const backend = detectBackend();
const folder = mkdtempSync(join(tmpdir(), "sluice-search-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const packaged = (path: string, libc: "glibc" | "musl"): Candidate => ({
  path,
  origin: "platform package",
  libc,
});

/** A library that needs another one, which is missing. */
function needing(needed: string): string {
  const path = join(folder, `needs-${needed}`);
  const compile = (out: string, code: string, ...more: string[]): void =>
    void execFileSync("cc", ["-shared", "-fPIC", "-o", out, "-x", "c", "-", ...more], {
      input: code,
    });
  const gone = join(folder, needed);
  compile(gone, "int needed(void) { return 1; }", `-Wl,-soname,${needed}`);
  const code = "int needed(void); int sluice_library_abi_hash(void) { return needed(); }";
  compile(path, code, "-x", "none", gone);
  rmSync(gone);
  return path;
}

function refusal(search: Search, as: Backend = backend): SluiceError {
  try {
    load(as, search);
  } catch (error) {
    return error as SluiceError;
  }
  throw new Error("a library was loaded");
}

/** As musl refuses what is made for glibc. The others are loaded. */
function onMusl(...forGlibc: string[]): Backend {
  return {
    ...backend,
    open<T extends SymbolTable>(path: string, table: T) {
      if (!forGlibc.includes(path)) return backend.open(path, table);
      throw new Error(
        `Failed to open library "${path}": Error loading shared library ld-linux-x86-64.so.2: ` +
          `No such file or directory (needed by ${path})`,
      );
    },
  };
}

describe("the packages of a platform", () => {
  it("are that for glibc and then that for musl on Linux, and one elsewhere", () => {
    const names = PLATFORMS.map((platform) => packagesOf(platform).map(({ name }) => name));
    assert.deepEqual(names, [
      ["@sluice/linux-x64-gnu", "@sluice/linux-x64-musl"],
      ["@sluice/linux-arm64-gnu", "@sluice/linux-arm64-musl"],
      ["@sluice/darwin-x64"],
      ["@sluice/darwin-arm64"],
      ["@sluice/win32-x64"],
    ]);
  });

  it("are tried before the local build of a checkout", () => {
    const plain = { ...backend, environment: () => undefined };
    const origins = [...candidates(plain)].map(({ origin }) => origin);
    assert.equal(origins.at(-1), "local build");
    assert.ok(origins.slice(0, -1).every((origin) => origin === "platform package"));
  });
});

describe("the local build", () => {
  it("is that of the checkout, and there is none for a module of a bundle or the network", () => {
    const of = (url: string | undefined): string | undefined => localBuild(url, "libsluice.so");
    assert.equal(
      of("file:///a%20b/src/ffi/locate.ts"),
      "file:///a%20b/target/release/libsluice.so",
    );
    assert.equal(of("https://jsr.io/@sluice/sluice/0.1.0/src/ffi/locate.ts"), undefined);
    assert.equal(of("file:///a/dist/main.js"), undefined);
    assert.equal(of(undefined), undefined);
  });
});

describe("a single executable", () => {
  const cache = join(folder, "cache");
  const environment = (name: string) => name === "XDG_CACHE_HOME" ? cache : undefined;

  it("loads a copy of its asset before anything else", { skip: SKIP }, () => {
    mkdirSync(cache, { mode: 0o700 });
    const bytes = readFileSync(library().path);
    const names: string[] = [];
    const asset = (name: string) => (names.push(name), bytes);
    const loaded = load({ ...backend, environment, executable: { asset } });
    assert.deepEqual(names, ["sluice/libsluice.so"]);
    assert.equal(loaded.origin, "cache folder");
    assert.ok(loaded.path.startsWith(`${realpathSync(cache)}/sluice/`));
  });

  describe("whose copy the system refuses", { skip: SKIP }, () => {
    let rounds = 0;

    /** Two folders for copies, and a backend that refuses those in folders for which there is a reason. */
    function refusing(bytes: Uint8Array, reasons: readonly (string | undefined)[]) {
      const [first, next] = ["cache", "run"].map((name) => {
        const path = join(realpathSync(folder), `${name}${rounds}`);
        mkdirSync(path, { mode: 0o700 });
        return path;
      }) as [string, string];
      rounds++;
      const opened: string[] = [];
      const variables: Readonly<Record<string, string>> = {
        XDG_CACHE_HOME: first,
        XDG_RUNTIME_DIR: next,
      };
      const as: Backend = {
        ...backend,
        environment: (name) => variables[name],
        executable: { asset: () => bytes },
        open<T extends SymbolTable>(path: string, table: T) {
          if (!opened.includes(path)) opened.push(path);
          const at = [first, next].findIndex((folder) => path.startsWith(`${folder}/`));
          const reason = reasons[Math.max(at, 0)];
          if (reason !== undefined) throw new Error(reason.replaceAll("PATH", path));
          return backend.open(path, table);
        },
      };
      const files = () =>
        [first, next].map((folder) =>
          readdirSync(folder, { recursive: true, encoding: "utf8" })
            .filter((name) => name.endsWith(".so")).length
        );
      return { as, opened, files };
    }

    it("for a reason of its folder is removed, and another one is tried in the next folder", () => {
      const bytes = readFileSync(library().path);
      for (
        const reason of [
          "PATH: failed to map segment from shared object",
          "Error loading shared library PATH: Operation not permitted",
          "something else",
        ]
      ) {
        const { as, opened, files } = refusing(bytes, [reason]);
        const { origin, path } = load(as, candidates(as));
        assert.equal(origin, "cache folder");
        assert.equal(opened.indexOf(path), 1);
        assert.deepEqual(files(), [0, 1]);
      }
    });

    it("because it needs another C library is removed, and no other one is made", () => {
      const { as, opened, files } = refusing(readFileSync(needing("libc.musl-x86_64.so.1")), []);
      // That of the checkout is loaded in the end.
      assert.equal(load(as, candidates(as)).path, opened.at(-1));
      assert.equal(opened.filter((path) => path.includes("/sluice/")).length, 1);
      assert.deepEqual(files(), [0, 0]);
    });

    it("because it needs another C library is so by the words of each loader", () => {
      const missing = "cannot open shared object file: No such file or directory";
      for (
        const [reason, says] of [
          [
            `Error loading shared library ld-linux-x86-64.so.2: No such file (needed by PATH)`,
            /musl/,
          ],
          ["Error relocating PATH: __res_init: symbol not found", /musl/],
          [`libc.musl-x86_64.so.1: ${missing}`, /glibc/],
          ["/lib/x86_64-linux-gnu/libc.so: invalid ELF header", /glibc/],
          ["/lib/libc.so.6: version `GLIBC_2.99' not found (required by PATH)", /GLIBC_2\.99/],
        ] as const
      ) {
        const { as, opened, files } = refusing(new Uint8Array(100), [reason, reason]);
        const { code, message } = refusal(candidates(as), as);
        assert.equal(code, "SLUICE_LIBRARY_NOT_LOADED");
        assert.match(message, says);
        // No folder would help.
        assert.doesNotMatch(message, /XDG_CACHE_HOME/);
        assert.match(message, /Or name a library in SLUICE_LIB\.$/);
        assert.equal(opened.filter((path) => path.includes("/sluice/")).length, 1, reason);
        assert.deepEqual(files(), [0, 0], reason);
      }
    });
  });

  it("does not look around in the current folder", () => {
    const executable = { asset: () => undefined };
    const origins = [...candidates({ ...backend, environment, executable })].map((it) => it.origin);
    assert.deepEqual(origins.filter((it) => !/^(?:platform package|local build)$/.test(it)), []);
  });
});

describe("a library for another C library", { skip: SKIP }, () => {
  it("is passed over for the one that can be loaded", () => {
    const { path } = library();
    const musl = packaged(needing("libc.musl-x86_64.so.1"), "musl");
    const glibc = packaged(needing("libsluice-none.so"), "glibc");
    const loaded = (as: Backend, ...search: Candidate[]): Library["path"] => load(as, search).path;
    assert.equal(loaded(backend, musl, packaged(path, "glibc")), path);
    assert.equal(loaded(onMusl(glibc.path), glibc, packaged(path, "musl")), path);
    assert.equal(loaded(backend, musl, { path, origin: "local build" }), path);
  });

  it("is named with the package to install if there is no other", () => {
    const musl = packaged(needing("libc.musl-x86_64.so.1"), "musl");
    const absent: Candidate = { path: join(folder, "absent.so"), origin: "local build" };
    const here = refusal([musl, absent]);
    assert.equal(here.code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.ok(here.message.includes(`${musl.path} (platform package) cannot be loaded`));
    assert.match(here.message, /another system, with musl.*npm install @sluice\/linux-.*-gnu\n/);
    const glibc = packaged(needing("libsluice-none.so"), "glibc");
    const there = refusal([glibc, absent], onMusl(glibc.path));
    assert.equal(there.code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.match(there.message, /another system, with glibc.*npm install @sluice\/linux-.*-musl\n/);
    const executable = { read: () => new Uint8Array() };
    const built = refusal([glibc], { ...onMusl(glibc.path), executable });
    assert.match(built.message, /Build this executable where @sluice\/linux-.*-musl is installed/);
  });

  it("does not hide one for this system that is broken", () => {
    const { path } = library();
    const next = packaged(path, "musl");
    const text = join(folder, "text.so");
    writeFileSync(text, "not a library\n");
    const damaged = refusal([packaged(text, "glibc"), next]);
    assert.match(damaged.message, /text\.so \(platform package\).*\n.*or is damaged/);
    const needy = refusal([packaged(needing("libsluice-none.so"), "glibc"), next]);
    assert.match(needy.message, /It needs libsluice-none\.so, which this system does not have/);
    for (const { code } of [damaged, needy]) assert.equal(code, "SLUICE_LIBRARY_NOT_LOADED");
  });

  it("is named as such where SLUICE_LIB names it", () => {
    const path = needing("ld-musl-x86_64.so.1");
    const { code, message } = refusal([{ path, origin: "SLUICE_LIB" }]);
    assert.equal(code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.match(message, /built for another system, with musl as its C library/);
  });
});

describe("the library of a bundle", () => {
  const { path } = library();
  const bundled: Candidate = { path, origin: "bundle" };
  const text = join(folder, "near.so");
  writeFileSync(text, "not a library\n");
  const near: Candidate = { path: text, origin: "platform package" };
  const local: Candidate = { path, origin: "local build" };
  /** With a package of another version near the bundle. */
  const old: Backend = {
    ...backend,
    open<T extends SymbolTable>(at: string, table: T) {
      if (at !== text) return backend.open(at, table);
      return { sluice_library_abi_hash: () => 1 } as unknown as Functions<T>;
    },
  };

  it("is loaded if a package near it cannot be, or has another version", () => {
    assert.equal(load(backend, [near, bundled]).origin, "bundle");
    assert.equal(load(old, [near, bundled]).origin, "bundle");
  });

  it("is the only one for which such a package is passed over", () => {
    assert.equal(refusal([near, local]).code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.equal(refusal([near, local], old).code, "SLUICE_ABI_MISMATCH");
    const absent: Candidate = { path: join(folder, "none.so"), origin: "bundle" };
    const { code, message } = refusal([near, absent]);
    assert.equal(code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.ok(message.includes(text), message);
    assert.equal(refusal([near, absent], old).code, "SLUICE_ABI_MISMATCH");
  });
});

describe("a library of which there is a copy", () => {
  const refused = join(folder, "first.so");
  writeFileSync(refused, "not a library\n");
  const first: Candidate = { path: refused, origin: "executable", hasCopy: true };

  it("is passed over if it cannot be loaded, or is missing", () => {
    const { path } = library();
    const copy: Candidate = { path, origin: "cache folder", hasCopy: true };
    assert.equal(load(backend, [first, copy]).origin, "cache folder");
    assert.equal(load(backend, [{ ...first, path: join(folder, "none.so") }, copy]).path, path);
  });

  it("is named with the copies if none can be loaded", () => {
    const second = join(folder, "second.so");
    writeFileSync(second, "not a library\n");
    const copy: Candidate = { ...first, path: second, origin: "cache folder" };
    const none: Candidate = { ...copy, path: "/cache", fault: "others may write to /cache" };
    const executable = { read: () => new Uint8Array() };
    const { code, message } = refusal([first, copy, none], { ...backend, executable });
    assert.equal(code, "SLUICE_LIBRARY_NOT_LOADED");
    assert.ok(message.includes(`${refused} (executable) cannot be loaded`));
    assert.ok(message.includes(`${second} (cache folder) cannot be loaded`));
    assert.match(
      message,
      /at \/cache \(cache folder\) cannot be loaded: others may write to \/cache/,
    );
    assert.match(message, /Name a folder in XDG_CACHE_HOME .*Or name a library in SLUICE_LIB/);
    // No copy is made of what SLUICE_LIB names.
    const named = refusal([{ path: second, origin: "SLUICE_LIB" }], { ...backend, executable });
    assert.doesNotMatch(named.message, /XDG_CACHE_HOME|make build/);
    assert.match(
      named.message,
      /SLUICE_LIB names it\. Without that, this executable loads its own/,
    );
  });
});
