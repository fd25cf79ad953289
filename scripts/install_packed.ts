/**
 * Puts the npm packages into a project, as a user's `npm install` would, for tests and benches.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Packs both packages and unpacks them into the `node_modules` of the folder `project`, with what they
 * depend on beside them. By hand, because `npm install` would ask a registry.
 */
export function installPacked(project: string): void {
  const modules = join(project, "node_modules");
  const packages = mkdtempSync(join(tmpdir(), "sluice-packed-"));
  try {
    const pack = ["scripts/pack_npm.ts", "--out", packages];
    execFileSync(join(ROOT, "node_modules/.bin/bun"), pack, { cwd: ROOT });
    for (const file of readdirSync(packages).filter((name) => name.endsWith(".tgz"))) {
      // npm names the tarball of @sluice/linux-x64-gnu sluice-linux-x64-gnu-<version>.tgz.
      const name = file.replace(/-\d+\.\d+\..*$/, "").replace(/^sluice-/, "@sluice/");
      const folder = join(modules, name);
      mkdirSync(folder, { recursive: true });
      execFileSync("tar", ["xzf", join(packages, file), "--strip-components=1", "-C", folder]);
    }
  } finally {
    rmSync(packages, { recursive: true });
  }
  const manifest = readFileSync(join(modules, "sluice/package.json"), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies)) {
    const folder = join(modules, name);
    mkdirSync(dirname(folder), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), folder);
  }
}

if (import.meta.main) installPacked(process.argv[2]!);
