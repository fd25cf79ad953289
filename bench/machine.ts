/**
 * The header of a record: the machine, the commit and the versions that its figures belong to.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import process from "node:process";
import { library } from "../src/ffi/load.ts";

const ROOT = new URL("../", import.meta.url);

/** The packages whose versions a record names. */
const PACKAGES = [
  "hypertok",
  "gpt-tokenizer",
  "ai-tokenizer",
  "tiktoken",
  "js-tiktoken",
  "limiter",
  "rate-limiter-flexible",
  "@upstash/ratelimit",
  "ioredis",
  "generic-pool",
  "mitata",
  "autocannon",
  "bun",
  "deno",
];

/** What a record says about its machine. It names no host and no path. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  /** The CPU features that the library uses. */
  readonly cpuFeatures: string;
  /** The commit that was measured, with "+" if the tree had changes. */
  readonly commit: string;
  /** The load average of the last minute before the run. Older records have none. */
  readonly load?: number;
  readonly packages: Readonly<Record<string, string>>;
}

/** The name of a runtime. */
export type RuntimeName = "bun" | "deno" | "node";

/** The runtime that runs this. */
export function runtimeName(): RuntimeName {
  return "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
}

/** "Bun 1.4.5", "Deno 2.9.6" or "Node.js 26.12.1". */
export function runtimeVersion(): string {
  return library().runtime;
}

/** Describes this machine. */
export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    cpuFeatures: cpuFeatures(),
    commit: commit(),
    load: Math.round(10 * loadavg()[0]!) / 10,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, packageVersion(name)])),
  };
}

function cpuFeatures(): string {
  const bytes = new Uint8Array(new ArrayBuffer(256));
  const length = library().native.sluice_library_cpu_features(bytes, bytes.length);
  return new TextDecoder().decode(bytes.subarray(0, length)) || "none";
}

function packageVersion(name: string): string {
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
