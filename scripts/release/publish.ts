/**
 * Publishes the packages of a folder to npm: platforms first, `sluice` last, because Deno and Yarn 1 refuse a package
 * while one of its optional dependencies does not exist.
 *
 *     node scripts/release/publish.ts FOLDER [--dry-run] [--registry URL]
 *
 * It can be run again after a failure. What the registry has with the same integrity is skipped. If it has anything of
 * that version with another integrity, nothing is published at all. Provenance is attached where OpenID Connect can
 * prove it, which is in a workflow with `id-token: write`.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Packed, packedIn } from "./artifacts.ts";

/** How long a registry may take to show what it accepted. */
const VISIBLE_MS = 300_000;

/** What a registry answers for one version of a package: its integrity, or `undefined` if it has none. */
export type Lookup = (name: string, version: string) => string | undefined;

/** What is to be done with each package. */
export interface Plan {
  readonly publish: readonly Packed[];
  readonly skip: readonly Packed[];
  /** A sentence for each package that the registry has with another content. */
  readonly conflicts: readonly string[];
}

/** Compares packages with what a registry has. The order of `all` is kept. */
export function plan(all: readonly Packed[], lookup: Lookup): Plan {
  const publish: Packed[] = [];
  const skip: Packed[] = [];
  const conflicts: string[] = [];
  for (const packed of all) {
    const { name, version } = packed.manifest;
    const integrity = lookup(name, version);
    if (integrity === undefined) publish.push(packed);
    else if (integrity === packed.integrity) skip.push(packed);
    else {conflicts.push(
        `${name}@${version} is published with ${integrity}, not ${packed.integrity}`,
      );}
  }
  return { publish, skip, conflicts };
}

/** Asks a registry through npm, with npm's own settings. */
export function npmLookup(options: readonly string[]): Lookup {
  return (name, version) => {
    const args = ["view", `${name}@${version}`, "dist.integrity", "--json", ...options];
    const { status, stdout, stderr, error } = spawnSync("npm", args, { encoding: "utf8" });
    if (error !== undefined) throw error;
    if (status === 0) return stdout.trim() === "" ? undefined : JSON.parse(stdout);
    if (/\bE404\b/.test(stdout + stderr)) return undefined;
    throw new Error(`npm ${args.join(" ")} failed: ${stderr}`);
  };
}

/** The distribution tag of a version: what `npm install` takes must be no pre-release. */
export function distributionTag(version: string): "latest" | "next" {
  return version.includes("-") ? "next" : "latest";
}

/** Waits until the registry shows a package, which may take a while after it has accepted it. */
async function waitUntilVisible({ manifest, integrity }: Packed, lookup: Lookup): Promise<void> {
  const deadline = Date.now() + VISIBLE_MS;
  while (lookup(manifest.name, manifest.version) !== integrity) {
    if (Date.now() > deadline) {
      throw new Error(`${manifest.name}@${manifest.version} was accepted but does not appear`);
    }
    await delay(2_000);
  }
}

/** Settings with the token of `NODE_AUTH_TOKEN`, for the first version of a package, which npm cannot yet trust. */
function withToken(registry: string): { environment: Record<string, string>; end: () => void } {
  if (!process.env["NODE_AUTH_TOKEN"]) return { environment: {}, end: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), "sluice-publish-"));
  const file = join(folder, "npmrc");
  const { host, pathname } = new URL(registry);
  // npm puts the variable in, so that the token is in no file.
  const line = `//${host}${pathname.replace(/\/?$/, "/")}:_authToken=\${NODE_AUTH_TOKEN}\n`;
  writeFileSync(file, line, { mode: 0o600 });
  return {
    environment: { NPM_CONFIG_USERCONFIG: file },
    end: () => rmSync(folder, { recursive: true }),
  };
}

async function main(): Promise<void> {
  const { positionals: [folder], values: { "dry-run": isDry, registry } } = parseArgs({
    allowPositionals: true,
    options: { "dry-run": { type: "boolean", default: false }, registry: { type: "string" } },
  });
  if (folder === undefined) throw new TypeError("publish.ts needs a folder with packages");
  const options = registry === undefined ? [] : [`--registry=${registry}`];
  const lookup = npmLookup(options);
  const { publish, skip, conflicts } = plan(packedIn(folder), lookup);
  for (const conflict of conflicts) console.error(conflict);
  if (conflicts.length > 0) throw new Error("nothing was published");
  for (const { path } of skip) console.log(`skipped: ${basename(path)} is published already`);
  const configured = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" });
  const { environment, end } = withToken(registry ?? configured.trim());
  try {
    for (const packed of publish) {
      const args = ["publish", packed.path, "--access=public", "--ignore-scripts", ...options];
      args.push(`--tag=${distributionTag(packed.manifest.version)}`);
      // Only OpenID Connect proves where a package was built, and npm refuses to go on without it.
      args.push(`--provenance=${"ACTIONS_ID_TOKEN_REQUEST_URL" in process.env}`);
      if (isDry) args.push("--dry-run");
      execFileSync("npm", args, { stdio: "inherit", env: { ...process.env, ...environment } });
      if (!isDry) await waitUntilVisible(packed, lookup);
      console.log(`${isDry ? "would publish" : "published"}: ${basename(packed.path)}`);
    }
  } finally {
    end();
  }
}

if (import.meta.main) await main();
