/**
 * A small file system in memory, for what happens when it is full.
 *
 * @module
 */
// cspell:ignore tmpfs
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import process from "node:process";

/** Why tests with a small file system are skipped, for the option `skip` of `node:test`. */
export const NO_MOUNT: string | false = process.platform === "linux" && process.getuid?.() === 0
  ? false
  : "skipped: only root can mount a small file system, and only on Linux";

/** A file system of its own at a folder. It is unmounted when it is disposed. */
export class Space implements Disposable {
  readonly folder: string;

  constructor(folder: string, size: string) {
    mkdirSync(folder);
    this.folder = folder;
    mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
  }

  /** Changes how much it can hold, or makes it read-only. */
  change(options: string): void {
    mount("-o", `remount,${options}`, this.folder);
  }

  [Symbol.dispose](): void {
    execFileSync("umount", [this.folder]);
  }
}

function mount(...args: string[]): void {
  execFileSync("mount", args, { stdio: "pipe" });
}
