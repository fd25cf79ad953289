/**
 * Puts the npm packages into a project, as a user's `npm install` would, for tests and benches.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { sharedPackages } from "./pack/shared.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What a package says of itself, and of its platforms: all of them if it names none. */
export interface Packed {
  readonly name: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** Whether an installer would take a package on this machine. */
export function fits({ os, cpu, libc }: Packed): boolean {
  const { platform, arch } = process;
  return (os ?? [platform]).includes(platform) && (cpu ?? [arch]).includes(arch) &&
    (libc === undefined || libc.includes(libcOfThisProcess()));
}

/** The manifest of a packed package. */
export function manifestOf(tarball: string): Packed {
  // By standard input, because GNU tar takes a drive of Windows for a host.
  const input = readFileSync(tarball);
  const args = ["xzOf", "-", "package/package.json"];
  return JSON.parse(execFileSync("tar", args, { input, encoding: "utf8" })) as Packed;
}

/** The C library of this process, from the loader that the head of its program names. */
function libcOfThisProcess(): string {
  const head = new Uint8Array(4096);
  const file = openSync(process.execPath, "r");
  readSync(file, head);
  closeSync(file);
  return new TextDecoder("latin1").decode(head).includes("/ld-musl-") ? "musl" : "glibc";
}

/**
 * Unpacks packages into the `node_modules` of the folder `project`, with what they depend on beside them. By hand, because
 * `npm install` would ask a registry.
 *
 * @param tarballs The folder of the packages. Those of this checkout unless it is named.
 * @param isTaken Which packages. Unless it is given, those that an installer would take on this machine.
 */
export function installPacked(
  project: string,
  tarballs: string = sharedPackages(),
  isTaken: (manifest: Packed) => boolean = fits,
): void {
  const modules = join(project, "node_modules");
  for (const file of readdirSync(tarballs).filter((name) => name.endsWith(".tgz"))) {
    const tarball = join(tarballs, file);
    const manifest = manifestOf(tarball);
    if (!isTaken(manifest)) continue;
    const folder = join(modules, manifest.name);
    mkdirSync(folder, { recursive: true });
    const input = readFileSync(tarball);
    execFileSync("tar", ["xzf", "-", "--strip-components=1"], { cwd: folder, input });
  }
  const manifest = readFileSync(join(modules, "sluice/package.json"), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies)) {
    const folder = join(modules, name);
    mkdirSync(dirname(folder), { recursive: true });
    if (!existsSync(folder)) symlinkSync(join(ROOT, "node_modules", name), folder);
  }
}

if (import.meta.main) installPacked(process.argv[2]!);
