/**
 * Packed packages that several processes share: one folder for each state of the checkout, by a hash of what is packed.
 * Tests in three runtimes pack once.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { ROOT } from "./manifest.ts";
import { localLibrary } from "./platform_package.ts";

/** Everything that is packed, or decides how. */
const SOURCES = [
  "src",
  "docs",
  "python",
  "scripts",
  "mod.ts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.npm.json",
  "Cargo.lock",
  "README.md",
  "CHANGELOG.md",
  "SECURITY.md",
  "LICENSE",
];

const FOLDER = join(ROOT, ".build/packed");

/** How old a lock is when its process must have ended. Packing takes a minute at most. */
const STALE_MS = 300_000;

/** The folder with the tarballs of this checkout, packed by the first process that asks. */
export function sharedPackages(): string {
  const folder = join(FOLDER, stateOfCheckout());
  const lock = `${folder}.lock`;
  mkdirSync(FOLDER, { recursive: true });
  while (!existsSync(folder)) {
    if (!acquire(lock)) {
      sleep(100);
      continue;
    }
    try {
      if (!existsSync(folder)) packInto(folder);
    } finally {
      rmdirSync(lock);
    }
  }
  return folder;
}

/** Packs beside the folder and renames, so that the folder is never there in part. */
function packInto(folder: string): void {
  for (const old of readdirSync(FOLDER)) {
    const path = join(FOLDER, old);
    if (ageOf(path) > STALE_MS) rmSync(path, { recursive: true, force: true });
  }
  const made = `${folder}.made`;
  const bun = join(ROOT, "node_modules/.bin/bun");
  execFileSync(bun, ["scripts/pack_npm.ts", "--out", made], { cwd: ROOT });
  renameSync(made, folder);
}

function acquire(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    if (ageOf(lock) > STALE_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function stateOfCheckout(): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).toSorted()) add(join(path, name));
    } else {
      hash.update(`${path}\0`).update(createHash("sha256").update(readFileSync(path)).digest());
    }
  };
  for (const path of SOURCES) add(join(ROOT, path));
  add(localLibrary().path);
  return hash.digest("hex").slice(0, 32);
}

function ageOf(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
