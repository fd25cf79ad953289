/**
 * Starts programs in this runtime or another one.
 *
 * @module
 */
import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RuntimeName, runtimeName } from "./machine.ts";

const run = promisify(execFile);

/** The flag that makes `globalThis.gc` available. */
const EXPOSE_GC = {
  bun: "--expose-gc",
  deno: "--v8-flags=--expose-gc",
  node: "--expose-gc",
} as const;

/** What comes before the file, with all permissions. Node warns that `node:ffi` is experimental. */
const OPTIONS = {
  bun: [],
  deno: ["run", "-A"],
  node: ["--disable-warning=ExperimentalWarning"],
} as const;

/** The executable that npm installed for a runtime. */
export function executable(runtime: RuntimeName): string {
  if (runtime === runtimeName()) return process.execPath;
  return fileURLToPath(new URL(`../node_modules/.bin/${runtime}`, import.meta.url));
}

/** The arguments that run a TypeScript file with all permissions. */
export function runArguments(runtime: RuntimeName, file: URL, args: readonly string[]): string[] {
  return [...OPTIONS[runtime], fileURLToPath(file), ...args];
}

/** Runs a file of this folder in a fresh process of this runtime and returns what it printed. */
export async function runSelf(
  file: string,
  args: readonly string[],
  exposesGc = false,
): Promise<string> {
  const runtime = runtimeName();
  const all = runArguments(runtime, new URL(file, import.meta.url), args);
  if (exposesGc) all.splice(runtime === "deno" ? 1 : 0, 0, EXPOSE_GC[runtime]);
  const { stdout } = await run(executable(runtime), all, { maxBuffer: 2 ** 28 });
  return stdout;
}
