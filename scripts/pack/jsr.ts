/**
 * The tree that is published to JSR: TypeScript as it is in the checkout, with `src/ffi/resolve.ts` replaced.
 *
 * A module of JSR has an `https:` URL and finds no npm package. `@sluice/native` is one, so that it finds those of the
 * platforms, which are its optional dependencies.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { documentedCode, writeDocuments } from "./documents.ts";
import { checkout, ROOT, type Strings } from "./manifest.ts";
import { NATIVE, writeNativePackage } from "./native_package.ts";

/** The module that is replaced. */
const RESOLVE = "src/ffi/resolve.ts";

/** What belongs to the command, which the npm package has. */
const COMMAND = /^src\/(?:cli\/|ffi\/other_runtime\.ts$)/;

/** The checkout's `deno.json`, as far as it is read. */
interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Strings;
  readonly compilerOptions: unknown;
}

const configuration: Configuration = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));

/** Writes the tree into `folder`. */
export function writeJsrTree(folder: string): void {
  const { name } = configuration;
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join("src", path).replaceAll("\\", "/"))
    .filter((path) => !COMMAND.test(path));
  for (const path of ["mod.ts", ...sources]) {
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true });
    const text = path === RESOLVE ? resolveModule() : readFileSync(join(ROOT, path), "utf8");
    writeFileSync(to, documentedCode(text, name));
  }
  writeDocuments(["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"], folder, name);
  writeJson(join(folder, "deno.json"), manifest());
  // The version is read of it.
  writeJson(join(folder, "package.json"), { name: checkout.name, version: checkout.version });
}

/** Lets Deno find the dependencies from `folder`, to check types without a registry. */
export function linkDependencies(folder: string): void {
  const modules = join(folder, "node_modules");
  for (const name of [...Object.keys(checkout.dependencies), "@types/node", "@types/picomatch"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name), "junction");
  }
  writeNativePackage(join(modules, NATIVE), {});
  writeJson(join(folder, "deno.json"), { ...manifest(), nodeModulesDir: "manual" });
}

function resolveModule(): string {
  return `/**
 * The resolution of specifiers, from where the npm packages are.
 *
 * @module
 */
export { urlOf } from "${NATIVE}";
`;
}

function manifest(): Record<string, unknown> {
  const { name, version, license, exports, compilerOptions } = configuration;
  const own = [NATIVE, `npm:${NATIVE}@${version}`];
  const others = Object.entries(checkout.dependencies)
    .map(([name, version]) => [name, `npm:${name}@${version}`]);
  return {
    name,
    version,
    license,
    exports,
    imports: Object.fromEntries([...others, own]),
    // Where this is published there is no node_modules folder, and @sluice/native is minutes old.
    nodeModulesDir: "none",
    minimumDependencyAge: 0,
    compilerOptions,
    // What git ignores would be left out, and this is such a folder.
    publish: { include: ["mod.ts", "src", "docs", "*.md", "LICENSE", "*.json"], exclude: ["!."] },
  };
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value, undefined, 2) + "\n");
}
