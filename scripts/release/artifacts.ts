/**
 * The files of a release in one folder: packed npm packages, libraries, the header and the bill of materials.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Target, TARGETS } from "./targets.ts";

/** The package that users install. */
export const MAIN = "sluice";

/** The package by which a module from JSR finds the library. */
export const NATIVE = "@sluice/native";

/** The header for C. */
export const HEADER = "sluice.h";

/** The bill of materials. */
export const SBOM = "sluice.cdx.json";

/** The fields of a packed `package.json` that a release looks at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly repository?: string | { readonly url: string };
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** One packed npm package. */
export interface Packed {
  /** Absolute: npm takes `files/a.tgz` for a repository on GitHub. */
  readonly path: string;
  readonly manifest: Manifest;
  /** SHA-512 as registries state it. */
  readonly integrity: string;
}

/** The name of a target's npm package. */
export function packageOf({ name }: Target): string {
  return `@sluice/${name}`;
}

/** What `npm pack` calls the tarball of a package. */
export function tarballOf(name: string, version: string): string {
  return `${name.replace(/^@/, "").replaceAll("/", "-")}-${version}.tgz`;
}

/** What a release calls a target's library, whose own name is the same on several. */
export function libraryAsset({ name, file }: Target): string {
  return file.replace(".", `-${name}.`);
}

/** All packages of a release, in the order in which they are published: none before what it depends on. */
export function publishOrder(): string[] {
  return [...TARGETS.map(packageOf), NATIVE, MAIN];
}

/** The names of all files of a release, but for `SHA256SUMS`. */
export function releaseFiles(version: string): string[] {
  const tarballs = publishOrder().map((name) => tarballOf(name, version));
  return [...tarballs, ...TARGETS.map(libraryAsset), HEADER, SBOM];
}

/** The packed packages in a folder, in the order of publication. Any that is not of a release is last. */
export function packedIn(folder: string): Packed[] {
  const order = publishOrder();
  const place = ({ manifest }: Packed) => order.indexOf(manifest.name) >>> 0;
  return readdirSync(folder).filter((name) => name.endsWith(".tgz")).sort()
    .map((name) => readPacked(resolve(folder, name))).sort((a, b) => place(a) - place(b));
}

function readPacked(path: string): Packed {
  const manifest = execFileSync("tar", ["-xzOf", path, "package/package.json"], {
    encoding: "utf8",
  });
  const integrity = `sha512-${digest(path, "sha512", "base64")}`;
  return { path, manifest: JSON.parse(manifest), integrity };
}

/** The digest of a file. */
export function digest(
  path: string,
  algorithm: "sha256" | "sha512",
  encoding: "hex" | "base64",
): string {
  return createHash(algorithm).update(readFileSync(path)).digest(encoding);
}

/** The names of all files in a folder, but for its list of checksums, sorted by code point. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) =>
    name !== "SHA256SUMS" && statSync(join(folder, name)).isFile()
  ).sort();
}
