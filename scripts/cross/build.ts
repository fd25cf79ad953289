/**
 * Builds the library for one target.
 *
 * @module
 */
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import type { Target } from "../release/targets.ts";
import { execute } from "../run.ts";
import { CARGO_TARGET, LIBRARIES } from "./folders.ts";
import { linkerOf } from "./linkers.ts";
import { compilerOf } from "./rust.ts";

/** Where a target's library is put. */
export function libraryOf({ name, file }: Target): string {
  return join(LIBRARIES, name, file);
}

/** Builds and returns the compiler's name. */
export async function build(target: Target): Promise<string> {
  const { name, triple, options, environment } = compilerOf(target);
  const linker = linkerOf(target);
  const variable = `CARGO_TARGET_${triple.toUpperCase().replaceAll("-", "_")}_LINKER`;
  const args = ["build", "--release", "--locked", "-q", "-p", "sluice-abi", "--target", triple];
  const { code } = await execute(["cargo", ...args, ...options], {
    ...environment,
    [variable]: linker,
    ...(target.os === "darwin" ? { CARGO_PROFILE_RELEASE_STRIP: "none" } : {}),
    CARGO_TARGET_DIR: CARGO_TARGET,
    // MinGW's linker asks for its own assembler and archiver by name.
    PATH: `${dirname(linker)}${delimiter}${process.env["PATH"]}`,
  });
  if (code !== 0) throw new Error(`cargo ended with ${code}`);
  mkdirSync(dirname(libraryOf(target)), { recursive: true });
  // A program may have the old one open.
  const place = libraryOf(target);
  copyFileSync(join(CARGO_TARGET, triple, "release", target.file), `${place}.new`);
  renameSync(`${place}.new`, place);
  return name;
}
