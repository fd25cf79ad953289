/**
 * Rehearses a release on this machine: runs what the workflow `release` runs, publishes to a registry on loopback, installs
 * from it, and lists the files that a release would have.
 *
 *     bun scripts/release/dry_run.ts                       # `make release-dry-run`
 *     bun scripts/release/dry_run.ts --libraries FOLDER    # built libraries, as FOLDER/<target>/<file>
 *
 * This machine's library is built as a release builds it. The others are those of `make cross`, where it was run. The last
 * line is `N passed, N failed`.
 *
 * @module
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { startRegistry } from "../../tests/packed/registry.ts";
import { closing, execute, type Tally } from "../run.ts";
import { digest, filesIn, type Packed, packedIn } from "./artifacts.ts";
import { TARGETS } from "./targets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUT = ".build/release";
const FILES = join(OUT, "files");
const JSR = join(OUT, "jsr");
const SCRIPTS = "scripts/release";
const BUN = process.execPath;
/** Scripts that publish run in Node.js, which is all that those jobs of the workflow have. */
const NODE = join(ROOT, "node_modules/.bin/node");

process.chdir(ROOT);
const { values } = parseArgs({
  options: { libraries: { type: "string", default: join(ROOT, ".build/cross/lib") } },
});

const total: Tally = { passed: 0, failed: 0 };
const failures: string[] = [];

/**
 * Runs a command as one step. Returns its output, and whether it did what it should.
 *
 * @param isQuiet Whether the output is shown only if the step fails.
 */
async function step(
  name: string,
  command: readonly string[],
  read?: (output: string) => Tally,
  isQuiet = false,
): Promise<{ output: string; isRight: boolean }> {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const { code, output } = await execute(command, {}, isQuiet);
  const { passed, failed } = read?.(output) ?? { passed: 1, failed: 0 };
  const isRight = code === 0 && failed === 0 && passed > 0;
  if (isQuiet && !isRight) console.log(output);
  count(name, isRight, read === undefined ? undefined : { passed, failed });
  console.log(`── ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return { output, isRight };
}

/** Prints the last line and ends. */
function finish(): never {
  if (failures.length > 0) console.log(`\nFailed: ${failures.join("; ")}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  process.exit(total.failed === 0 ? 0 : 1);
}

function count(name: string, isRight: boolean, tally?: Tally): void {
  total.passed += tally?.passed ?? Number(isRight);
  total.failed += isRight ? 0 : Math.max(tally?.failed ?? 0, 1);
  if (isRight) return;
  failures.push(name);
  console.error(`FAILED: ${name}`);
}

/**
 * The folder of the libraries: this machine's as a release builds it, and the others of `make cross` if it was run.
 *
 * @returns The folder, and the target of this machine.
 */
async function builtLibraries(): Promise<{ folder: string; here: string }> {
  const { platform, arch } = process;
  const here = TARGETS.find(({ os, cpu }) => os === platform && cpu === arch)!.name;
  const folder = join(OUT, "lib");
  if (existsSync(values.libraries)) {
    cpSync(values.libraries, folder, { recursive: true, dereference: true });
  }
  await step(`build ${here}`, [
    ...[NODE, `${SCRIPTS}/build.ts`, "--target", here, "--out", folder],
  ]);
  return { folder, here };
}

/** Tries to publish a package whose content is another one than the registry has. */
async function refuseAnother({ path }: Packed, registry: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-another-"));
  // The same files, compressed differently.
  const bytes = gzipSync(gunzipSync(readFileSync(path)), { level: 1 });
  writeFileSync(join(folder, basename(path)), bytes);
  const publish = [NODE, `${SCRIPTS}/publish.ts`, folder, "--registry", registry];
  const { code, output } = await execute(publish, {}, true);
  const isRefused = code !== 0 && /nothing was published/.test(output);
  console.log(`\n── another content is ${isRefused ? "refused" : `not refused: ${output}`}`);
  count("another content is refused", isRefused);
  rmSync(folder, { recursive: true });
}

/** Publishes to a registry on loopback, twice, and installs from it. */
async function publishOnLoopback(): Promise<void> {
  const empty = mkdtempSync(join(tmpdir(), "sluice-registry-"));
  const project = mkdtempSync(join(tmpdir(), "sluice-released-"));
  const registry = await startRegistry(empty);
  const publish = [NODE, `${SCRIPTS}/publish.ts`, FILES, "--registry", registry.url];
  process.env["NODE_AUTH_TOKEN"] = "loopback";
  try {
    const packages = packedIn(FILES);
    const lines = (output: string, word: string) =>
      output.split("\n").filter((line) => line.startsWith(`${word}: `)).length;
    const { output: dry } = await step(
      "publish, dry run",
      [...publish, "--dry-run"],
      undefined,
      true,
    );
    count("a dry run names every package", lines(dry, "would publish") === packages.length);
    const { output: first } = await step(
      "publish to a registry on loopback",
      publish,
      undefined,
      true,
    );
    count("every package is published", lines(first, "published") === packages.length);
    const { output: again } = await step("publish once more", publish);
    count("what is published is skipped", lines(again, "skipped") === packages.length);
    await refuseAnother(packages.at(-1)!, registry.url);
    writeFileSync(join(project, "package.json"), '{ "type": "module" }\n');
    writeFileSync(join(project, "main.js"), PROGRAM);
    const install = ["npm", "install", "--prefix", project, "--no-audit", "--no-fund", "sluice"];
    await step("install what was published", [...install, `--registry=${registry.url}`]);
    for (const [runtime, ...options] of [["bun"], ["deno", "run", "--allow-ffi"], ["node"]]) {
      const program = join(ROOT, "node_modules/.bin", runtime!);
      const name = `count with what was published, in ${runtime}`;
      const { output } = await step(name, [program, ...options, join(project, "main.js")]);
      count(`${name}: 4`, /^4$/m.test(output));
    }
  } finally {
    delete process.env["NODE_AUTH_TOKEN"];
    await registry.close();
    for (const folder of [empty, project]) rmSync(folder, { recursive: true });
  }
}

const PROGRAM = `import { Tokenizer } from "sluice/tokenizer";
console.log(new Tokenizer("o200k_base").count("Hello, world!"));
`;

rmSync(FILES, { recursive: true, force: true });
rmSync(join(OUT, "lib"), { recursive: true, force: true });
mkdirSync(FILES, { recursive: true });
await step("lint the workflows", [NODE, `${SCRIPTS}/lint_workflows.ts`]);
const { folder, here } = await builtLibraries();
const { isRight: isStaged } = await step("check the libraries, pack and gather", [
  ...[BUN, `${SCRIPTS}/stage.ts`, "--libraries", folder, "--out", FILES, "--partial"],
]);
if (!isStaged) finish();
await step("check the release", [
  ...[NODE, `${SCRIPTS}/check_release.ts`, "--folder", FILES, "--rehearse"],
]);
await step("check the bill of materials", [
  ...["node", `${SCRIPTS}/tools/validate_sbom.mjs`, join(FILES, "sluice.cdx.json")],
]);
await step("write checksums", [NODE, `${SCRIPTS}/checksums.ts`, FILES]);
await step("verify checksums", [NODE, `${SCRIPTS}/checksums.ts`, FILES, "--verify"]);
const { version } = packedIn(FILES)[0]!.manifest;
const { output: notes } = await step(
  "notes",
  [NODE, `${SCRIPTS}/notes.ts`, "--version", version],
  undefined,
  true,
);
writeFileSync(join(OUT, "notes.md"), notes);
await publishOnLoopback();
await step("install with every package manager", [
  ...[BUN, "tests/packed/run.ts", "--packages", FILES],
], closing);
await step("test the sources with the library", [
  ...[BUN, `${SCRIPTS}/native_tests.ts`, "--target", here, "--files", FILES],
], closing);
await step("make single executables", [BUN, `${SCRIPTS}/executables.ts`, FILES], closing);
await step("publish to JSR, dry run", [NODE, "scripts/pack_jsr.ts", "--out", JSR, "--check"]);
await step("release on GitHub, dry run", [
  ...[NODE, `${SCRIPTS}/github_release.ts`, FILES, "--tag", `v${version}`],
  ...["--notes", join(OUT, "notes.md"), "--dry-run"],
]);

console.log(`\nTo npm, in this order:`);
for (const { path, manifest } of packedIn(FILES)) {
  console.log(`  ${manifest.name}@${manifest.version}  ${statSync(path).size} bytes`);
}
console.log(`\nOn the page of the release, from ${FILES}:`);
for (const name of [...filesIn(FILES), "SHA256SUMS"]) {
  const path = join(FILES, name);
  const bytes = String(statSync(path).size).padStart(9);
  console.log(`  ${digest(path, "sha256", "hex")} ${bytes}  ${name}`);
}
const modules = existsSync(JSR) ? readdirSync(JSR, { recursive: true, encoding: "utf8" }) : [];
console.log(`\nTo JSR: ${modules.filter((it) => it.endsWith(".ts")).length} modules of ${JSR}`);
finish();
