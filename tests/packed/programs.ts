/**
 * The programs that users of the packages run in these tests.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Runtime } from "../support/runtime.ts";

/** How long a program may take from its start to its end, in milliseconds. */
export const MAX_MS = 1000;

/** Counts, limits and pools, importing `sluice` by `specifier`. */
function everything(specifier: string): string {
  return `import { quota, RateLimiter, Tokenizer, UpstreamPool } from "${specifier}";
const tokens = new Tokenizer("o200k_base").count("Hello, world!");
const limits = { day: quota({ limit: 1, per: "day" }) };
const limiter = new RateLimiter({ name: "tenants", limits });
const allowed = [limiter.take("a").allowed, limiter.take("a").allowed];
const pool = new UpstreamPool({ name: "openai", upstreams: [{ id: "key-1", maxInFlight: 1 }] });
const leases = [pool.tryAcquire()?.upstream, pool.tryAcquire()?.upstream];
console.log(JSON.stringify({ tokens, allowed, leases }));
`;
}

/** What the program prints. */
export const PRINTED = `{"tokens":4,"allowed":[true,false],"leases":["key-1",null]}`;

/** Writes the program into a folder. Returns the name of the file. */
export function writeProgram(
  folder: string,
  specifier = "sluice",
  name = "main.mjs",
): string {
  writeFileSync(join(folder, name), everything(specifier));
  return name;
}

/** Writes a manifest of a project into a folder. */
export function writeProject(
  folder: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  const manifest = {
    name: "app",
    version: "1.0.0",
    private: true,
    type: "module",
    ...fields,
  };
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify(manifest, undefined, 2),
  );
}

/** How a runtime runs a file, with no more permission than the library needs. */
export function runWith(
  runtime: Runtime,
  file: string,
  permissions: readonly string[] = ["--allow-ffi"],
): string[] {
  return runtime === "deno" ? ["deno", "run", ...permissions, file] : [runtime, file];
}
