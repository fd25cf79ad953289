/**
 * The runtime that runs a test, and how it runs another file or a program.
 *
 * @module
 */
import process from "node:process";

/** A runtime by the name of its command. */
export type Runtime = "bun" | "deno" | "node";

/** The runtime that runs this file. All three have `process.versions.node`. */
export const RUNTIME: Runtime = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/** Node warns on stderr that `node:ffi` is experimental, where tests compare what sluice writes. */
export const QUIET_NODE = "--disable-warning=ExperimentalWarning";

/**
 * What comes before the file on the command line of this runtime.
 *
 * @param permissions What Deno is given; all of it unless named.
 */
export function runOptions(permissions: readonly string[] = ["-A", "--no-check"]): string[] {
  return { bun: [], deno: ["run", ...permissions], node: [QUIET_NODE] }[RUNTIME];
}

/** The command that runs `file` in this runtime, with the permissions of {@linkcode runOptions}. */
export function runCommand(file: string, permissions?: readonly string[]): string[] {
  return [process.execPath, ...runOptions(permissions), file];
}

/** The command that runs a program, given as TypeScript, in this runtime. */
export function evalCommand(program: string): string[] {
  const options = {
    bun: ["-e"],
    deno: ["eval", "--ext=ts"],
    node: [QUIET_NODE, "--input-type=module-typescript", "-e"],
  }[RUNTIME];
  return [process.execPath, ...options, program];
}
