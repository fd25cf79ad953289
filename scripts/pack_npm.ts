/**
 * Makes the two npm packages of this platform under `.build/npm` and packs them:
 *
 * - `sluice`: JavaScript with types. Bun would take the TypeScript as it is; Deno does not read
 *   TypeScript inside `node_modules`. Bundled, because each module takes Deno 0.15 ms to import
 *   (`bench/record`, clock and units); what several entries share is in `src/chunks`.
 * - `@sluice/<platform>`: the native library.
 *
 * Each has the licences of what it carries of others in `THIRD_PARTY_LICENSES.txt`.
 *
 *     bun scripts/pack_npm.ts               # writes .build/npm/*.tgz
 *     bun scripts/pack_npm.ts --out FOLDER  # elsewhere
 *     bun scripts/pack_npm.ts --check       # and asks npm what it would publish
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { library } from "../src/ffi/load.ts";
import { packageName, PLATFORMS } from "../src/ffi/locate.ts";
import { crateLicences, npmLicences } from "./licences.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const { values: { out, check } } = parseArgs({
  options: {
    out: { type: "string", default: join(ROOT, ".build/npm") },
    check: { type: "boolean", default: false },
  },
});
const OUT = resolve(out);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

type Strings = Readonly<Record<string, string>>;

const manifest: Manifest & { readonly exports: Strings; readonly dependencies: Strings } = JSON
  .parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** What is not bundled: the command needs it, and the library does not. */
const EXTERNAL = ["commander", "cli-progress", "picomatch"];

/** What several parts need, in one chunk: left to itself it would be in three. */
const SHARED =
  /src[/\\](?:ffi[/\\]|(?:arguments|delay|errors|known_options|short_string|text_buffer)\.)/;

/** Corpora need a part of it, which would be in a chunk of its own. */
const TOKENIZER = /src[/\\]tokenizer[/\\]/;

/** The script of Workers, which is found by its path (`src/corpus/worker_url.ts`). */
const CORPUS_WORKER = "src/corpus/worker.ts";

const LICENCES = "THIRD_PARTY_LICENSES.txt";

/** What every package says of itself. */
const shared = { version: manifest.version, license: manifest["license"], type: "module" };

function write(folder: string, manifest: Manifest, files: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  for (const file of files) copyFileSync(file, join(folder, basename(file)));
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, undefined, 2) + "\n");
  return folder;
}

async function mainPackage(): Promise<string> {
  const folder = join(OUT, "sluice");
  const entries = [...Object.values(manifest.exports), "src/cli/main.ts", CORPUS_WORKER];
  await bundle(entries, folder);
  const config = join(ROOT, "tsconfig.npm.json");
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", config, "--outDir", folder], {
    stdio: "inherit",
  });
  // The README leads to them.
  cpSync(join(ROOT, "docs"), join(folder, "docs"), {
    recursive: true,
    filter: (path) => basename(path) !== ".vitepress",
  });
  // It finds the platform package next to `sluice` in `node_modules`.
  mkdirSync(join(folder, "python"), { recursive: true });
  for (const file of ["sluice_arrow.py", "README.md", "ray_tokenize.py", "spark_tokenize.py"]) {
    copyFileSync(join(ROOT, "python", file), join(folder, "python", file));
  }
  const { name, description, engines, sideEffects } = manifest;
  const dependencies = Object.entries(manifest.dependencies);
  const isBundled = ([name]: readonly [string, string]) => !EXTERNAL.includes(name);
  const bundled = dependencies.filter(isBundled).map(([name]) => name);
  writeFileSync(join(folder, LICENCES), npmLicences(join(ROOT, "node_modules"), bundled));
  const compiled = Object.entries(manifest.exports).map(([entry, source]) => {
    const path = source.slice(0, -".ts".length);
    return [entry, { types: `${path}.d.ts`, default: `${path}.js` }];
  });
  const natives = PLATFORMS.map((platform) => [packageName(platform), manifest.version]);
  return write(folder, {
    name,
    description,
    ...shared,
    engines,
    sideEffects,
    exports: Object.fromEntries(compiled),
    bin: { sluice: "./src/cli/main.js" },
    dependencies: Object.fromEntries(dependencies.filter((it) => !isBundled(it))),
    optionalDependencies: Object.fromEntries(natives),
  }, ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"].map((file) => join(ROOT, file)));
}

async function bundle(entries: readonly string[], folder: string): Promise<void> {
  const input = entries.map((entry) => [entry.replace(/^\.\/|\.ts$/g, ""), entry]);
  const bundled = await rolldown({
    cwd: ROOT,
    input: Object.fromEntries(input),
    platform: "neutral",
    external: [/^node:/, ...EXTERNAL],
    resolve: { mainFields: ["module", "main"] },
  });
  await bundled.write({
    dir: folder,
    format: "esm",
    sourcemap: true,
    // As deep as `src/ffi/locate.ts`, which looks for a local build from where it is.
    // And not called after the folder of this checkout.
    chunkFileNames: ({ name }) =>
      `src/chunks/${name === basename(ROOT) ? manifest.name : name}-[hash].js`,
    codeSplitting: {
      groups: [{ name: "shared", test: SHARED }, { name: "tokenizer", test: TOKENIZER }],
    },
  });
}

function platformPackage(): string {
  const { platform, arch } = process;
  const name = packageName(`${platform}-${arch}`);
  const { path } = library();
  const folder = join(OUT, basename(name));
  mkdirSync(folder, { recursive: true });
  const licences = crateLicences(ROOT, "sluice-abi", ["tiktoken-rs"]);
  writeFileSync(join(folder, LICENCES), licences);
  return write(folder, {
    name,
    description: `The native library of sluice for ${platform} on ${arch}`,
    ...shared,
    os: [platform],
    cpu: [arch],
    ...(platform === "linux" ? { libc: ["glibc"] } : {}),
    exports: { [`./${basename(path)}`]: `./${basename(path)}` },
    files: [basename(path), LICENCES, "LICENSE"],
  }, [path, join(ROOT, "LICENSE")]);
}

rmSync(OUT, { recursive: true, force: true });
for (const folder of [await mainPackage(), platformPackage()]) {
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", OUT], {
    cwd: folder,
    encoding: "utf8",
  });
  console.log(`packed ${packed.trim()}`);
  if (check) {
    execFileSync("npm", ["publish", "--dry-run", "--silent", "--access", "public"], {
      cwd: folder,
      stdio: "inherit",
    });
  }
}
