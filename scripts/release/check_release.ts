/**
 * Checks that what is about to be published is a whole release of one version.
 *
 *     node scripts/release/check_release.ts --tag v0.1.0 --folder FOLDER
 *     node scripts/release/check_release.ts --folder FOLDER --rehearse
 *
 * The tag must be the version that every file states, the changelog must have a section with a date for it, every
 * package must be there with the right fields and library, and `repository` must name the repository that builds
 * (`GITHUB_REPOSITORY`), or npm refuses the provenance. Exits with 1 otherwise. With `--rehearse` it only names what a
 * release still lacks, such as targets that were not built, and fails on what is wrong.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  filesIn,
  libraryAsset,
  MAIN,
  type Manifest,
  NATIVE,
  packageOf,
  type Packed,
  packedIn,
  publishOrder,
  releaseFiles,
  tarballOf,
} from "./artifacts.ts";
import { FAULTS_OF_ZIG, judgeLibrary } from "./check_library.ts";
import { type Target, TARGETS } from "./targets.ts";
import {
  changelogFaults,
  disagreements,
  type Read,
  readBelow,
  statedVersions,
} from "./versions.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What is wrong, and what only has to be done before a release, a sentence for each. */
export interface Findings {
  readonly faults: readonly string[];
  readonly open: readonly string[];
}

/** Judges the sources for a release called `tag`. */
export function judgeSources(read: Read, tag: string, building: string | undefined): Findings {
  const manifest: Manifest = JSON.parse(read("package.json"));
  const version = tag.replace(/^v/, "");
  const faults = disagreements(statedVersions(read), version);
  if (!/^v\d+\.\d+\.\d+(-[\w.]+)?$/.test(tag)) faults.push(`"${tag}" is no tag such as v1.2.3`);
  const open = [...changelogFaults(read("CHANGELOG.md"), version), ...unpublished(read)];
  const repository = repositoryOf(manifest);
  if (repository === undefined) open.push("package.json has no repository");
  else if (building === undefined) {
    open.push(`nothing confirms the repository ${repository}: GITHUB_REPOSITORY is not set`);
  } else if (repository !== building) {
    open.push(
      `package.json names the repository ${repository}, but ${building} builds the release`,
    );
  }
  return { faults, open };
}

/** Documents that go into the packages, and say until the first release that there is none. */
function unpublished(read: Read): string[] {
  return ["README.md", "SECURITY.md", "docs/getting-started.md"]
    .filter((file) => /\b(?:not|nothing is)\s+published\s+yet\b/i.test(read(file)))
    .map((file) => `${file} says that nothing is published yet`);
}

/** The address of a package's repository as a browser takes it. */
export function repositoryOf({ repository }: Manifest): string | undefined {
  const url = typeof repository === "string" ? repository : repository?.url;
  return url?.replace(/^git\+/, "").replace(/\.git$/, "");
}

/** Judges the packages of a release of `version`. Returns a sentence for each fault. */
export function judgePackages(all: readonly Packed[], version: string, source: Manifest): string[] {
  const faults: string[] = [];
  const known = publishOrder();
  const found = new Set(all.map(({ manifest }) => manifest.name));
  const platforms = TARGETS.map(packageOf).filter((name) => found.has(name));
  for (const packed of all) {
    const { manifest, path } = packed;
    const { name } = manifest;
    const fault = (text: string) => faults.push(`${basename(path)}: ${text}`);
    if (!known.includes(name)) fault(`${name} is no package of a release`);
    if (manifest.version !== version) fault(`has version ${manifest.version}, not ${version}`);
    if (basename(path) !== tarballOf(name, manifest.version)) {
      fault("is not named after its package");
    }
    if (manifest.license !== source.license) fault(`has licence ${manifest.license}`);
    if (repositoryOf(manifest) !== repositoryOf(source)) fault("names another repository");
    const target = TARGETS.find((it) => packageOf(it) === name);
    if (target !== undefined) faultsOfPlatform(packed, target).forEach(fault);
    if (name === MAIN || name === NATIVE) {
      faultsOfOptional(manifest, platforms, version).forEach(fault);
    }
  }
  return faults;
}

function faultsOfPlatform({ manifest, path }: Packed, target: Target): string[] {
  const faults: string[] = [];
  const fields = { os: target.os, cpu: target.cpu, libc: target.libc } as const;
  for (const field of ["os", "cpu", "libc"] as const) {
    const stated = (manifest[field] ?? []).join();
    const wanted = fields[field] ?? "";
    if (stated !== wanted) faults.push(`states ${field} "${stated}", not "${wanted}"`);
  }
  const tar = (...args: string[]) => execFileSync("tar", args, { maxBuffer: 2 ** 28 });
  const file = `package/${target.file}`;
  if (!tar("-tzf", path).toString().split("\n").includes(file)) {
    return [...faults, `has no ${target.file}`];
  }
  const library = tar("-xzOf", path, file);
  const asset = join(dirname(path), libraryAsset(target));
  if (existsSync(asset) && !readFileSync(asset).equals(library)) {
    faults.push(`has another library than ${basename(asset)}`);
  }
  return [...faults, ...judgeLibrary(library, target).faults];
}

/** Judges which files are in the folder of a release of `version`. */
export function judgeFiles(names: readonly string[], version: string): Findings {
  const wanted = releaseFiles(version);
  return {
    faults: names.filter((name) => !wanted.includes(name)).map((name) =>
      `${name} is no file of a release`
    ),
    open: wanted.filter((name) => !names.includes(name)).map((name) => `${name} is not there`),
  };
}

/** Deno and Yarn 1 refuse a package whose optional dependencies do not all exist. */
function faultsOfOptional(
  { optionalDependencies }: Manifest,
  platforms: readonly string[],
  version: string,
): string[] {
  const stated = new Map(Object.entries(optionalDependencies ?? {}));
  const faults = platforms.filter((name) => !stated.has(name))
    .map((name) => `has no optional dependency ${name}`);
  for (const [name, range] of stated) {
    if (!platforms.includes(name)) faults.push(`depends on ${name}, which is not of this release`);
    else if (range !== version) faults.push(`depends on ${name} ${range}, not ${version}`);
  }
  return faults;
}

/** Whether a fault is one of a library for macOS that was linked on Linux. */
function isOfZig(fault: string): boolean {
  const [packed, what = ""] = fault.split(/: (.*)/s);
  return packed!.startsWith("sluice-darwin-") && FAULTS_OF_ZIG.test(what);
}

/** The repository that builds, if a runner of GitHub tells. */
function buildingRepository(): string | undefined {
  const { GITHUB_REPOSITORY: name, GITHUB_SERVER_URL: server } = process.env;
  return name ? `${server ?? "https://github.com"}/${name}` : undefined;
}

if (import.meta.main) {
  const read = readBelow(ROOT);
  const source: Manifest = JSON.parse(read("package.json"));
  const { values: { tag, folder, rehearse } } = parseArgs({
    options: {
      tag: { type: "string", default: `v${source.version}` },
      folder: { type: "string" },
      rehearse: { type: "boolean", default: false },
    },
  });
  const findings = [judgeSources(read, tag, buildingRepository())];
  if (folder !== undefined) {
    const version = tag.replace(/^v/, "");
    findings.push(judgeFiles(filesIn(folder), version));
    const found = judgePackages(packedIn(folder), version, source);
    findings.push({
      faults: found.filter((fault) => !isOfZig(fault)),
      // A rehearsal may have libraries of `make cross`.
      open: found.filter(isOfZig).map((fault) => fault.slice(0, 200)),
    });
  }
  const faults = findings.flatMap((it) => it.faults);
  const open = findings.flatMap((it) => it.open);
  for (const fault of faults) console.error(`wrong: ${fault}`);
  for (const step of open) console.error(`${rehearse ? "before a release" : "wrong"}: ${step}`);
  if (faults.length > 0 || (open.length > 0 && !rehearse)) process.exitCode = 1;
  else console.log(`${tag}: right${open.length > 0 ? ", as far as it goes" : ""}`);
}
