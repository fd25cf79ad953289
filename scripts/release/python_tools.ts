/**
 * Tools of PyPI, each set in an environment of its own under `.build/release`, from wheels whose hashes are pinned.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Installs what `tools/<name>_requirements.txt` lists, unless that is done already.
 *
 * @returns The folder of the commands.
 */
export function installPythonTools(name: "linker" | "lint"): string {
  const requirements = join(ROOT, `scripts/release/tools/${name}_requirements.txt`);
  const folder = join(ROOT, `.build/release/${name}`);
  const commands = join(folder, process.platform === "win32" ? "Scripts" : "bin");
  const stamp = join(folder, "installed");
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return commands;
  rmSync(folder, { recursive: true, force: true });
  execFileSync("python3", ["-m", "venv", folder], { stdio: "inherit" });
  const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
  const pip = ["-m", "pip", "install", ...options, "--only-binary=:all:", "-r", requirements];
  execFileSync(join(commands, "python"), pip, { stdio: "inherit" });
  writeFileSync(stamp, wanted);
  return commands;
}
