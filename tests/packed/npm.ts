/**
 * What is asked of npm's command, and of the tarballs that it packs.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { gunzipSync } from "node:zlib";

/** On Windows, npm is a script that only a shell starts. */
const SHELL = process.platform === "win32";

/** What npm prints for `args`, or undefined if there is no npm. */
function told(args: readonly string[]): string | undefined {
  try {
    return execFileSync("npm", args, {
      encoding: "utf8",
      shell: SHELL,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

/** The registry that npm is configured for, without a slash at the end. */
export function configuredRegistry(): string {
  return (told(["config", "get", "registry"]) ?? "https://registry.npmjs.org")
    .replace(/\/$/, "");
}

/**
 * Where npm's own script is, which any Node.js can run: what the command on the path links to, or beside it on Windows.
 * The folder of global packages is another one in Alpine and on Windows.
 */
export function npmScript(
  path: string = process.env["PATH"] ?? "",
): string | undefined {
  for (const folder of path.split(delimiter)) {
    const beside = join(folder, "node_modules/npm/bin/npm-cli.js");
    if (existsSync(beside)) return beside;
    const command = join(folder, "npm");
    const linked = existsSync(command) ? realpathSync(command) : "";
    if (linked.endsWith("npm-cli.js")) return linked;
  }
  const root = told(["root", "--global"]);
  const script = root === undefined ? "" : join(root, "npm/bin/npm-cli.js");
  return existsSync(script) ? script : undefined;
}

/** The manifest of a package. */
export interface PackedManifest {
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

/** The manifest in a tarball of npm, whose files are in the folder `package`. */
export function readTarball(tarball: Uint8Array): PackedManifest {
  const bytes = gunzipSync(tarball);
  const decoder = new TextDecoder();
  // Each file has a header of 512 bytes: its name from byte 0, its size in octal from byte 124.
  for (let at = 0; at < bytes.length;) {
    const text = (from: number, to: number): string =>
      decoder.decode(bytes.subarray(at + from, at + to)).replace(/\0.*$/s, "");
    const size = parseInt(text(124, 136), 8) || 0;
    if (text(0, 100) === "package/package.json") {
      return JSON.parse(text(512, 512 + size)) as PackedManifest;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error("the tarball has no package.json");
}
