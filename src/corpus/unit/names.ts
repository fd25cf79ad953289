/**
 * The names of the files in the folder of a corpus.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import os from "node:os";
import path from "node:path";
import process from "node:process";

export const PLAN_NAME = "plan.json";
export const MANIFEST_NAME = "manifest.json";
/** The folder of the lines that have no document. */
export const BAD_FOLDER = "bad";
export const LOCK_FOLDER = "locks";

/** The name of a shard without a suffix, such as `shard-00003-of-00024`. */
export function shardName(unit: number, units: number): string {
  const digits = (n: number) => String(n).padStart(5, "0");
  return `shard-${digits(unit)}-of-${digits(units)}`;
}

const SHARD = /^shard-(\d{5,})-of-(\d{5,})(\.[a-z0-9.]+)$/;
const TEMPORARY = /^\.[\w-]+\.(\d+)-([0-9a-f]{8})[0-9a-f]{12}\.tmp[a-z0-9.]*$/;

/** Whether a name in the folder is one that this program gives. */
export function isOwnName(name: string): boolean {
  return name === PLAN_NAME || name === MANIFEST_NAME || SHARD.test(name) || TEMPORARY.test(name);
}

/** The unit and the number of units in the name of a shard's file. */
export function parseShardName(
  name: string,
): { unit: number; units: number; suffix: string } | undefined {
  const [, unit, units, suffix] = SHARD.exec(name) ?? [];
  if (suffix === undefined) return undefined;
  return { unit: Number(unit), units: Number(units), suffix };
}

/**
 * A name for a file that is being written, which no other process and no other Worker has. The file system is the same
 * for several machines, so the name tells the machine beside the process.
 */
export function temporaryName(name: string): (suffix: string) => string {
  const unique = `${process.pid}-${hostTag()}${randomBytes(6).toString("hex")}`;
  return (suffix) => `.${name}.${unique}.tmp${suffix}`;
}

/** The process that wrote a file with a temporary name. */
export function parseTemporary(name: string): { pid: number; isHere: boolean } | undefined {
  const [, pid, tag] = TEMPORARY.exec(name) ?? [];
  return tag === undefined ? undefined : { pid: Number(pid), isHere: tag === hostTag() };
}

/** The name of this machine, or nothing where asking is not allowed. */
export function hostName(): string {
  try {
    return os.hostname();
  } catch {
    return "";
  }
}

/** Where the lines of a unit are that have no document. */
export function badPath(out: string, name: string): string {
  return path.join(out, BAD_FOLDER, `${name}.jsonl`);
}

let tag: string | undefined;

function hostTag(): string {
  return tag ??= createHash("sha256").update(hostName()).digest("hex").slice(0, 8);
}
