/**
 * The package of one platform, `@sluice/<target>`: the native library, and the licences of the crates in it.
 *
 * @module
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { crateLicences } from "../licences.ts";
import { type Target, TARGETS } from "../release/targets.ts";
import { checkout, commonFields, LICENCES, type Manifest, ROOT, writePackage } from "./manifest.ts";

/** A library, and the target for which it was built. */
export interface BuiltLibrary {
  readonly target: Target;
  readonly path: string;
}

/** The module that stands for the library where it cannot be embedded. */
const EMPTY = "embed.cjs";

/** The npm package of a target. */
export function platformPackageName({ name }: Target): string {
  return `@sluice/${name}`;
}

/** The target of that name. Throws if there is none. */
export function targetOf(name: string): Target {
  const target = TARGETS.find((target) => target.name === name);
  if (target !== undefined) return target;
  const known = TARGETS.map(({ name }) => name).join(", ");
  throw new RangeError(`unknown target "${name}": expected one of ${known}`);
}

/** The library that `make build` made on this machine. */
export function localLibrary(): BuiltLibrary {
  const { platform, arch } = process;
  const here = TARGETS.filter(({ os, cpu }) => os === platform && cpu === arch);
  const [first] = here;
  if (first === undefined) throw new Error(`there is no target for ${platform} on ${arch}`);
  const path = join(ROOT, "target/release", first.file);
  if (!existsSync(path)) throw new Error(`${path} is missing. Build it: make build`);
  // On Linux, the library tells for which C library it is: it needs glibc by this name, and musl by another one.
  const libc = readFileSync(path).includes("libc.so.6\0") ? "glibc" : "musl";
  return { path, target: here.find((target) => (target.libc ?? libc) === libc)! };
}

/** Writes the package of a platform into `folder`. */
export function writePlatformPackage({ target, path }: BuiltLibrary, folder: string): void {
  const { os, cpu, libc, file, triple } = target;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, LICENCES), crateLicences(ROOT, "sluice-abi", ["tiktoken-rs"], triple));
  copyFileSync(path, join(folder, file));
  writeFileSync(join(folder, EMPTY), "module.exports = undefined;\n");
  const c = libc === undefined ? "" : ` with ${libc}`;
  const manifest: Manifest = {
    name: platformPackageName(target),
    description: `The native library of ${checkout.name} for ${os} on ${cpu}${c}`,
    ...commonFields(),
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
    exports: {
      [`./${file}`]: `./${file}`,
      // Bundlers that embed files take the library; others take the empty module, and do not fail.
      "./embed": { bun: `./${file}`, "sluice-embed": `./${file}`, default: `./${EMPTY}` },
      "./package.json": "./package.json",
    },
    files: [file, EMPTY, LICENCES],
    // Yarn would leave the library in an archive, which no loader can open.
    preferUnplugged: true,
  };
  writeFileSync(
    join(folder, "README.md"),
    `# ${manifest.name}\n\n${
      manifest["description"]
    }. Install \`${checkout.name}\`, which depends on it.\n`,
  );
  writePackage(folder, manifest, ["LICENSE"]);
}
