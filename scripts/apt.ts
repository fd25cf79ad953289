/**
 * Installs Debian packages that tests need, from the machine's own sources and their backports.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import process from "node:process";
import { isOnPath } from "../tests/support/on_path.ts";
import { deriveSource } from "./apt_sources.ts";

const SOURCES = "/etc/apt/sources.list.d";
const LIST = "/etc/apt/sources.list";
/** Asked by packages before they start a service. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Installs packages, and says of each that cannot be installed why. Services are not started. */
export function installAll(names: readonly string[]): void {
  if (process.getuid?.() !== 0 || !isOnPath("apt-get")) {
    console.log(`skipped: ${names.join(", ")}: only root can install them, and only with apt-get`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "sluice-apt-"));
  const isPolicyOurs = !existsSync(POLICY);
  if (isPolicyOurs) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    attempt(["update"]);
    for (const name of names) installOne(name, folder);
  } finally {
    if (isPolicyOurs) rmSync(POLICY);
    rmSync(folder, { recursive: true, force: true });
  }
}

function installOne(name: string, folder: string): void {
  const options = hasCandidate(name) ? [] : backports(folder);
  if (options === undefined || !attempt([...options, "install", "--no-install-recommends", name])) {
    console.log(`skipped: ${name}: apt-get cannot install it here`);
  } else console.log(`installed: ${name}`);
}

/** The options that add the backports of this release to apt's sources for one call. */
function backports(folder: string): string[] | undefined {
  const suite = /^VERSION_CODENAME=(.*)$/m.exec(text("/etc/os-release"))?.[1];
  if (suite === undefined) return undefined;
  const derived = `${suite}-backports`;
  for (const file of sourceFiles()) {
    const source = deriveSource(text(file), suite, derived);
    // The line format begins with its type, a stanza with a field.
    if (source === undefined) continue;
    writeFileSync(join(folder, `backports${/^deb /.test(source) ? ".list" : ".sources"}`), source);
    for (const other of sourceFiles()) {
      if (other !== LIST) {
        writeFileSync(join(folder, `machine-${other.split("/").pop()}`), text(other));
      }
    }
    const options = ["-o", `Dir::Etc::sourceparts=${folder}`];
    return attempt([...options, "update"]) ? [...options, "-t", derived] : undefined;
  }
  return undefined;
}

/** The files of the machine's sources. */
export function sourceFiles(): string[] {
  const names = existsSync(SOURCES) ? readdirSync(SOURCES) : [];
  const files = names.filter((name) => [".sources", ".list"].includes(extname(name)))
    .map((name) => join(SOURCES, name));
  return existsSync(LIST) ? [...files, LIST] : files;
}

function hasCandidate(name: string): boolean {
  try {
    const policy = execFileSync("apt-cache", ["policy", name], { encoding: "utf8" });
    return /Candidate: (?!\(none\))/.test(policy);
  } catch {
    return false;
  }
}

/** Runs apt-get and returns whether it succeeded. Its output is shown only if it fails. */
function attempt(args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    execFileSync("apt-get", ["-y", "-q", ...args], { env, stdio: "pipe", timeout: 300_000 });
    return true;
  } catch (error) {
    console.log(String((error as { stderr?: unknown }).stderr ?? error).trim());
    return false;
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
