/**
 * Makes and packs the npm packages under `.build/npm`: `sluice`, `@sluice/native`, and `@sluice/<target>` for each library.
 *
 *     bun scripts/pack_npm.ts                     # with the library that `make build` made
 *     bun scripts/pack_npm.ts --out FOLDER        # elsewhere
 *     bun scripts/pack_npm.ts --only main,native  # these of main, native and platform
 *     bun scripts/pack_npm.ts --library FILE --target NAME    # a library for another target; repeatable in pairs
 *     bun scripts/pack_npm.ts --targets all       # the optional dependencies; those that are packed unless named
 *     bun scripts/pack_npm.ts --check             # and asks npm what it would publish
 *
 * Optional dependencies are only those that this call packs, because Deno and Yarn refuse a package of which an optional
 * dependency is not in the registry.
 *
 * @module
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeMainPackage } from "./pack/main_package.ts";
import { checkout, ROOT } from "./pack/manifest.ts";
import { writeNativePackage } from "./pack/native_package.ts";
import {
  type BuiltLibrary,
  localLibrary,
  platformPackageName,
  targetOf,
  writePlatformPackage,
} from "./pack/platform_package.ts";
import { checkPublish, pack } from "./pack/tarball.ts";
import { type Target, TARGETS } from "./release/targets.ts";

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(ROOT, ".build/npm") },
    only: { type: "string" },
    library: { type: "string", multiple: true, default: [] },
    target: { type: "string", multiple: true, default: [] },
    targets: { type: "string" },
    check: { type: "boolean", default: false },
  },
});

/** The libraries to pack. */
function libraries(): readonly BuiltLibrary[] {
  const { library, target } = values;
  if (library.length !== target.length) {
    throw new RangeError(
      `--library and --target come in pairs: there are ${library.length} and ${target.length}`,
    );
  }
  const named = library.map((path, i) => ({ path: resolve(path), target: targetOf(target[i]!) }));
  const missing = named.find(({ path }) => !existsSync(path));
  if (missing !== undefined) throw new Error(`${missing.path} is missing`);
  return named.length === 0 ? [localLibrary()] : named;
}

/** The targets whose packages are optional dependencies. */
function dependencies(): readonly Target[] {
  if (values.targets === undefined) return libraries().map(({ target }) => target);
  return values.targets === "all" ? TARGETS : values.targets.split(",").map(targetOf);
}

/** What is to be packed, by the names of `--only`, with what writes it into a folder. */
const parts: Readonly<Record<string, (platforms: Record<string, string>) => Promise<string[]>>> = {
  platform: () =>
    Promise.all(
      libraries().map(async (library) => {
        const folder = join(out, basename(platformPackageName(library.target)));
        await writePlatformPackage(library, folder);
        return folder;
      }),
    ),
  native: (platforms) => {
    const folder = join(out, "native");
    writeNativePackage(folder, platforms);
    return Promise.resolve([folder]);
  },
  main: async (platforms) => {
    const folder = join(out, checkout.name);
    await writeMainPackage(folder, platforms);
    return [folder];
  },
};

const out = resolve(values.out);
const only = values.only?.split(",") ?? Object.keys(parts);
const unknown = only.find((name) => !(name in parts));
if (unknown !== undefined) {
  throw new RangeError(`--only ${unknown}: expected ${Object.keys(parts).join(", ")}`);
}
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const versions = Object.fromEntries(
  only.join() === "platform"
    ? []
    : dependencies().map((target) => [platformPackageName(target), checkout.version]),
);
for (const [name, write] of Object.entries(parts)) {
  if (!only.includes(name)) continue;
  for (const folder of await write(versions)) {
    console.log(`packed ${pack(folder, out)}`);
    if (values.check) checkPublish(folder);
  }
}
