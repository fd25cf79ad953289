/**
 * The packages, examined by publint and by attw ("are the types wrong?").
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { check } from "./cases.ts";
import { expectOk, type Machine } from "./machine.ts";

const TOOLS = fileURLToPath(new URL("node_modules/", import.meta.url));

/** Runs all cases on the tarballs in a folder. */
export async function linters(
  machine: Machine,
  tarballs: string,
): Promise<void> {
  for (
    const file of readdirSync(tarballs).filter((name) => name.endsWith(".tgz"))
  ) {
    const tarball = join(tarballs, file);
    const run = async (script: string, ...args: string[]): Promise<void> => {
      const command = [process.execPath, join(TOOLS, script), ...args];
      expectOk(await machine.run(command, tarballs), script);
    };
    await check(
      `publint --strict ${file}`,
      () => run("publint/src/cli.js", "run", tarball, "--strict"),
    );
    // A platform package has no types and no code.
    if (!/^sluice-(?:native-)?\d/.test(file)) continue;
    // CommonJS gets these modules by require(esm), and no version that is supported has node10's resolution.
    await check(
      `attw --profile esm-only ${file}`,
      () =>
        run(
          "@arethetypeswrong/cli/dist/index.js",
          tarball,
          "--profile",
          "esm-only",
        ),
    );
  }
}
