#!/usr/bin/env node
/**
 * What package managers link as the command `sluice`. The first line names Node.js, because that is the only name that all
 * of them, `bunx` and `deno task` understand, also on Windows; where there is no Node.js, Bun and Deno stand in for it.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hideFfiWarning } from "../ffi/ffi_warning.ts";
import { detectBackend } from "../ffi/load.ts";
import { runElsewhere } from "../ffi/other_runtime.ts";

hideFfiWarning();
const args = process.argv.slice(2);
process.exit(canLoad() ? await here() : await elsewhere());

function canLoad(): boolean {
  try {
    detectBackend();
    return true;
  } catch {
    return false;
  }
}

async function here(): Promise<number> {
  const { main } = await import("./main.ts");
  return main(args);
}

async function elsewhere(): Promise<number> {
  const code = await runElsewhere(fileURLToPath(import.meta.url), args);
  if (code !== undefined) return code;
  try {
    detectBackend();
  } catch (error) {
    console.error(`sluice: ${(error as Error).message}`);
  }
  return 1;
}
