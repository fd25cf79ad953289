/** Copies of a library out of an executable: where they are, what of them is trusted, and many processes at once. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { copiesOf, copyFolders, type LibraryCopy } from "../src/ffi/embedded_copy.ts";
import { evalCommand } from "./support/runtime.ts";

const SKIP = process.platform === "win32" && "Windows has no owners and modes of this kind";
const NO_ROOT = process.geteuid?.() !== 0 && "only root can give files away";
const BYTES = new TextEncoder().encode("the library\n".repeat(100));
const FILE = "libsluice.so";
const root = realpathSync(mkdtempSync(join(tmpdir(), "sluice-copy-")));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function fresh(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

function copy(into: string): string {
  const { path, fault } = copiesOf(BYTES, FILE, [into]).next().value as LibraryCopy;
  assert.equal(fault, undefined);
  return path;
}

/** What remains of the copies in `folders` if each is refused, for a reason that holds everywhere or not. */
function refuseAll(folders: readonly string[], isRefusedEverywhere: boolean): string[] {
  const search = copiesOf(BYTES, FILE, folders);
  const made: string[] = [];
  let step = search.next();
  while (step.done !== true) {
    assert.equal(step.value.fault, undefined);
    made.push(step.value.path);
    step = search.next(isRefusedEverywhere);
  }
  return made;
}

function refusal(folder: string): string {
  const [{ path, fault }] = [...copiesOf(BYTES, FILE, [folder])] as [LibraryCopy];
  assert.equal(path, folder);
  return fault ?? assert.fail("it was copied");
}

describe("the folders for copies", () => {
  const of = (platform: string, variables: Readonly<Record<string, string>> = {}): string[] =>
    copyFolders({ platform, environment: (name) => variables[name] });

  it("are those of the user, by the rules of each system", { skip: SKIP }, () => {
    const temporary = join(tmpdir(), `sluice-${process.geteuid!()}`);
    assert.deepEqual(of("linux-x64"), [join(homedir(), ".cache/sluice"), temporary]);
    assert.deepEqual(of("linux-x64", { XDG_CACHE_HOME: "/c", XDG_RUNTIME_DIR: "/r" }), [
      "/c/sluice",
      "/r/sluice",
      temporary,
    ]);
    const library = join(homedir(), "Library/Caches/sluice");
    assert.deepEqual(of("darwin-arm64"), [library, temporary]);
    assert.match(of("win32-x64", { LOCALAPPDATA: "C:\\Users\\a" })[0]!, /^C:\\Users\\a.sluice$/);
  });

  it("are absolute", () => {
    for (const cache of ["cache", "./cache", "c:/cache"]) {
      const [first] = of("linux-x64", { XDG_CACHE_HOME: cache });
      assert.equal(first, join(homedir(), ".cache/sluice"));
    }
    const share = "\\\\server\\users\\a";
    assert.ok(of("win32-x64", { LOCALAPPDATA: share })[0]!.startsWith(share));
    const home = process.env["HOME"];
    process.env["HOME"] = "home";
    try {
      assert.deepEqual(of("linux-x64").filter((folder) => !isAbsolute(folder)), []);
    } finally {
      if (home === undefined) delete process.env["HOME"];
      else process.env["HOME"] = home;
    }
  });
});

describe("a copy", { skip: SKIP }, () => {
  it("is named by its content, and no other user can change it", () => {
    const folder = fresh();
    const path = copy(join(folder, "sluice"));
    assert.match(path, /\/sluice\/[0-9a-f]{64}\/libsluice\.so$/);
    assert.deepEqual(new Uint8Array(readFileSync(path)), BYTES);
    assert.equal(statSync(path).mode & 0o777, 0o500);
    for (const at of [join(path, ".."), join(path, "../..")]) {
      assert.equal(statSync(at).mode & 0o777, 0o700);
    }
    assert.deepEqual(readdirSync(join(path, "..")), [FILE]);
  });

  it("is used again", () => {
    const folder = fresh();
    const path = copy(folder);
    const { ino } = statSync(path);
    assert.equal(copy(folder), path);
    assert.equal(statSync(path).ino, ino);
  });

  it("is replaced if it has other bytes, is truncated, or others may write to it", () => {
    const folder = fresh();
    const path = copy(folder);
    const spoil: (() => void)[] = [
      () => writeFileSync(path, BYTES.subarray(1)),
      () => writeFileSync(path, BYTES.map((byte, i) => i === 500 ? byte ^ 1 : byte)),
      () => chmodSync(path, 0o777),
      () => {
        const elsewhere = join(fresh(), FILE);
        writeFileSync(elsewhere, BYTES, { mode: 0o500 });
        rmSync(path);
        symlinkSync(elsewhere, path);
      },
    ];
    for (const change of spoil) {
      chmodSync(path, 0o700);
      change();
      assert.equal(copy(folder), path);
      assert.deepEqual(new Uint8Array(readFileSync(path)), BYTES);
      assert.equal(statSync(path).mode & 0o777, 0o500);
      assert.ok(lstatSync(path).isFile());
    }
  });

  it("is put into the next folder if one cannot be used, or its copy not be loaded", () => {
    const [file, next, last] = [join(fresh(), "file"), fresh(), fresh()];
    writeFileSync(file, "");
    const [fault, ...copies] = [...copiesOf(BYTES, FILE, [file, next, last])];
    assert.equal(fault!.path, file);
    assert.match(fault!.fault!, /EEXIST|ENOTDIR|exists/);
    assert.deepEqual(copies.map(({ path }) => join(path, "../..")), [next, last]);
  });

  it("is not put into the next folder if it would be refused there too", () => {
    const [first, next] = [fresh(), fresh()];
    assert.deepEqual(refuseAll([first, next], true).map((path) => join(path, "../..")), [first]);
    assert.deepEqual(readdirSync(next), []);
    assert.equal(refuseAll([first, next], false).length, 2);
  });

  it("is removed if it cannot be loaded, unless it was there before", () => {
    const [there, next] = [fresh(), fresh()];
    const before = copy(there);
    for (const isRefusedEverywhere of [false, true]) {
      const made = refuseAll([there, next], isRefusedEverywhere);
      assert.deepEqual(made.filter((path) => existsSync(path)), [before]);
    }
    assert.deepEqual(refuseAll([next], true).filter((path) => existsSync(path)), []);
  });

  it("takes away what killed processes wrote, once that is an hour old", () => {
    const folder = fresh();
    const path = copy(folder);
    const file = (name: string, minutes: number): string => {
      const at = join(path, "..", name);
      writeFileSync(at, "part");
      const time = Date.now() / 1000 - 60 * minutes;
      utimesSync(at, time, time);
      return name;
    };
    const part = (): string => `${FILE}.12345.${crypto.randomUUID()}`;
    const names = (): string[] => readdirSync(join(path, "..")).sort();
    const kept = [FILE, file(part(), 50), file(`${FILE}.orig`, 70), file("x.so.1", 70)].sort();
    // It is no file, and comes first.
    const stubborn = `${FILE}.1.00000000-0000-0000-0000-000000000000`;
    mkdirSync(join(path, "..", stubborn));
    utimesSync(join(path, "..", stubborn), 0, 0);
    // Both when there is a copy and when one is written.
    for (const isThere of [true, false]) {
      if (!isThere) rmSync(path);
      file(part(), 70);
      file(part(), 60 * 24 * 365);
      assert.equal(copy(folder), path);
      assert.deepEqual(names(), [...kept, stubborn].sort());
    }
  });

  it("is not made where others could exchange it", () => {
    const open = fresh();
    chmodSync(open, 0o777);
    assert.match(refusal(open), new RegExp(`^others may write to ${open}$`));
    const above = join(open, "sluice");
    mkdirSync(above, { mode: 0o700 });
    assert.match(refusal(above), new RegExp(`^others may write to ${open}$`));
    // As in a temporary folder of all users.
    chmodSync(open, 0o1777);
    assert.ok(existsSync(copy(above)));
    // Not the folder's own: then others could make entries in it first.
    assert.match(refusal(open), /others may write/);
  });

  it("is not made in a folder of another user", { skip: NO_ROOT }, () => {
    const parent = fresh();
    const folder = join(parent, "sluice");
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 12_345, 12_345);
    assert.match(refusal(folder), new RegExp(`^${folder} belongs to user 12345$`));
    const link = join(parent, "link");
    symlinkSync(folder, link);
    assert.match(refusal(link), new RegExp(`^${folder} belongs to user 12345$`));
  });

  it("is replaced if another user owns it", { skip: NO_ROOT }, () => {
    const folder = fresh();
    const path = copy(folder);
    chownSync(path, 12_345, 12_345);
    assert.equal(copy(folder), path);
    assert.equal(statSync(path).uid, 0);
  });

  it("is the same file for processes that start at once", async () => {
    const folder = fresh();
    const url = new URL("../src/ffi/embedded_copy.ts", import.meta.url).href;
    const program = `import { copiesOf } from ${JSON.stringify(url)};
      import { statSync } from "node:fs";
      const bytes = new Uint8Array(8_000_000).fill(7);
      while (Date.now() < ${Date.now() + 1000});
      const [{ path }] = copiesOf(bytes, "libsluice.so", [${JSON.stringify(folder)}]);
      console.log(statSync(path).ino, statSync(path).size);`;
    const [command, ...args] = evalCommand(program);
    const runs = await Promise.all(
      Array.from({ length: 6 }, () => promisify(execFile)(command!, args)),
    );
    const files = new Set(runs.map(({ stdout }) => stdout.trim()));
    assert.equal(files.size, 1, [...files].join("\n"));
    assert.match([...files][0]!, / 8000000$/);
    const [hash] = readdirSync(folder);
    assert.deepEqual(readdirSync(join(folder, hash!)), [FILE]);
  });
});
