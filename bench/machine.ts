/**
 * Where and with what a record was made: the header that every number needs beside it.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import process from "node:process";
import { library } from "../src/ffi/load.ts";
import { ENGINE_PACKAGES } from "./engines.ts";

const ROOT = new URL("../", import.meta.url);

/** The pools and semaphores of `bench/pool`. */
const POOL_PACKAGES = ["generic-pool", "tarn", "async-sema", "p-limit"];

/** The rate limiters of `bench/limiter`. */
const LIMITER_PACKAGES = ["limiter", "rate-limiter-flexible"];

/** What a record says about its machine and versions. Names no host and no path. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  /** The CPU features that the library found and uses. */
  readonly cpuFeatures: string;
  /** The commit that was measured, with "+" if the tree had changes. */
  readonly commit: string;
  readonly packages: Readonly<Record<string, string>>;
}

/** The name of the runtime that runs this. */
export type RuntimeName = "bun" | "deno";

/** The runtime that runs this. */
export function runtimeName(): RuntimeName {
  return process.versions["bun"] === undefined ? "deno" : "bun";
}

/** "Bun 1.4.5" or "Deno 2.9.6". */
export function runtimeVersion(): string {
  return library().runtime;
}

/** Describes this machine. */
export function machine(): Machine {
  const packages = [
    ...ENGINE_PACKAGES,
    ...LIMITER_PACKAGES,
    ...POOL_PACKAGES,
    "mitata",
    "autocannon",
    "bun",
    "deno",
  ];
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    cpuFeatures: cpuFeatures(),
    commit: commit(),
    packages: Object.fromEntries(packages.map((name) => [name, packageVersion(name)])),
  };
}

function cpuFeatures(): string {
  const bytes = new Uint8Array(new ArrayBuffer(256));
  const length = library().native.sluice_library_cpu_features(bytes, bytes.length);
  return new TextDecoder().decode(bytes.subarray(0, length)) || "none";
}

/** The version of an installed npm package. */
export function packageVersion(name: string): string {
  const manifest = readFileSync(new URL(`node_modules/${name}/package.json`, ROOT), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim();
  try {
    const dirty = git("status", "--porcelain", "--untracked-files=no", "--", "rust", "src") !== "";
    return git("rev-parse", "--short", "HEAD") + (dirty ? "+" : "");
  } catch {
    // An unpacked archive has no history.
    return "unknown";
  }
}
