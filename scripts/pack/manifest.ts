/**
 * The manifests of the packages: the fields that all have, from the `package.json` of the checkout.
 *
 * @module
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** The texts of a field by name, such as the versions of dependencies. */
export type Strings = Readonly<Record<string, string>>;

/** What is read of the checkout's `package.json`. */
export interface Checkout {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly exports: Strings;
  readonly dependencies: Strings;
  readonly repository: { readonly type: string; readonly url: string };
  readonly [field: string]: unknown;
}

/** A manifest as it is written. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

/** The manifest of the checkout. */
export const checkout: Checkout = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** The name of the file with the licences of what a package carries of others. */
export const LICENCES = "THIRD_PARTY_LICENSES.txt";

/** What every package says of itself. npm attests the origin of a package only if `repository` is the real one. */
export function commonFields(): { readonly version: string; readonly [field: string]: unknown } {
  const { version, author, license, repository, homepage, bugs } = checkout;
  return {
    version,
    license,
    author,
    repository,
    homepage,
    bugs,
    publishConfig: { access: "public", provenance: true },
    type: "module",
  };
}

/** Writes the manifest of a package into its folder, and copies `files` there. */
export function writePackage(folder: string, manifest: Manifest, files: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  for (const file of files) copyFileSync(join(ROOT, file), join(folder, basename(file)));
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, undefined, 2) + "\n");
}
