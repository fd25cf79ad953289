/**
 * The folders of cross builds, and what fills them once.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
const CROSS: string = join(ROOT, ".build/cross");
/** What is downloaded and unpacked. Nothing of it is installed on the machine. */
export const TOOL: string = join(CROSS, "tool");
/** The libraries, one folder for each target. */
export const LIBRARIES: string = join(CROSS, "lib");
/** Cargo's folder, apart from that of the checkout. */
export const CARGO_TARGET: string = join(CROSS, "target");

/**
 * The folder `name` below {@link TOOL}, filled by `fill` if it does not hold what `key` describes. It appears only when
 * it is complete, so an interrupted run leaves nothing behind that a later one would take.
 */
export function once(name: string, key: string, fill: (folder: string) => void): string {
  const folder = join(TOOL, name);
  const stamp = join(folder, ".made");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === key) return folder;
  const making = `${folder}.making`;
  for (const old of [folder, making]) rmSync(old, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  fill(making);
  writeFileSync(join(making, ".made"), key);
  renameSync(making, folder);
  console.log(`unpacked ${key} into ${folder.slice(ROOT.length)}`);
  return folder;
}

/** Runs a program quietly and returns what it printed. Throws what it complained of. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  try {
    return execFileSync(program, args, {
      ...options,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 28,
      timeout: 600_000,
    });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`${program} ${args[0]}: ${stderr?.trim() || message}`, { cause: error });
  }
}
