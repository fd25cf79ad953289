/**
 * Tests of the packed packages: installed from a registry on loopback by each package manager, and run in each runtime.
 *
 *     bun tests/packed/run.ts                           # packs what `make build` made
 *     bun tests/packed/run.ts --packages FOLDER         # tarballs that are there
 *     bun tests/packed/run.ts --runtimes bun,deno,node  # only these
 *     bun tests/packed/run.ts --only installs,copies    # only these groups
 *
 * The last line is `N passed, N failed`.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { closing, execute } from "../../scripts/run.ts";
import { count, results, skip } from "./cases.ts";
import { commands } from "./command.ts";
import { copies } from "./copies.ts";
import { installs } from "./installs.ts";
import { jsr } from "./jsr.ts";
import { linters } from "./linters.ts";
import { Machine } from "./machine.ts";
import { startRegistry } from "./registry.ts";
import { types } from "./types.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { values } = parseArgs({
  options: {
    packages: { type: "string" },
    runtimes: { type: "string", default: "bun,deno,node" },
    only: { type: "string" },
  },
});

/** The tools that are pinned beside this file. */
function installTools(): void {
  const folder = join(ROOT, "tests/packed");
  if (existsSync(join(folder, "node_modules/.package-lock.json"))) return;
  const shell = process.platform === "win32";
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: "inherit",
    shell,
  });
}

/** The folder of the tarballs. */
function packages(): string {
  if (values.packages !== undefined) return resolve(values.packages);
  execFileSync(process.execPath, ["scripts/pack_npm.ts"], {
    cwd: ROOT,
    stdio: "inherit",
  });
  return join(ROOT, ".build/npm");
}

/** The tests of executables, which are a program of their own. */
async function executables(): Promise<void> {
  if (machine.runtimes.size < 3) {
    return skip("single executables", "they are made by Bun, Deno and Node.js, all three");
  }
  const file = join(ROOT, "tests/packed/single_executables.ts");
  const { code, output } = await execute([
    process.execPath,
    file,
    "--packages",
    folder,
  ]);
  const { passed, failed } = closing(output);
  count(passed, code === 0 ? failed : Math.max(failed, 1));
}

const started = performance.now();
installTools();
const folder = packages();
const registry = await startRegistry(folder);
const machine = new Machine(registry.url, values.runtimes.split(","));
const groups = {
  installs: () => installs(machine, registry, folder),
  command: () => commands(machine),
  copies: () => copies(machine, registry, folder),
  jsr: () => jsr(machine),
  linters: () => linters(machine, folder),
  types: () => types(machine),
  executables: () => executables(),
};
try {
  for (const [name, run] of Object.entries(groups)) {
    if (values.only !== undefined && !values.only.split(",").includes(name)) {
      continue;
    }
    console.log(`\n── ${name}`);
    await run();
  }
} finally {
  machine.close();
  await registry.close();
}
const { passed, failed, skipped } = results();
if (skipped > 0) console.log(`\n${skipped} skipped`);
console.log(`\n${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
