/**
 * The licences of others whose code or data our packages carry.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Someone else's package in one of ours. */
interface Carried {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  readonly repository?: string | null | { readonly url: string };
  readonly folder: string;
}

/** What files with licences are called; where there is a choice of licences, ours comes first. */
const FILES = [/^LICEN[CS]E-MIT/i, /^LICEN[CS]E/i, /^COPYING/i];

/** The licences of npm packages that are bundled, as they are installed in `modules`. */
export function npmLicences(modules: string, names: readonly string[]): string {
  return text(names.map((name) => {
    const folder = join(modules, name);
    return { ...JSON.parse(readFileSync(join(folder, "package.json"), "utf8")), folder };
  }));
}

/** A package in what `cargo metadata` prints. */
interface Crate extends Omit<Carried, "folder"> {
  readonly manifest_path: string;
}

/**
 * The licences of the crates that are linked into `crate`, built for `triple`, and of those in `data`, whose data it
 * embeds.
 */
export function crateLicences(
  root: string,
  crate: string,
  data: readonly string[],
  triple: string,
): string {
  const cargo = (...args: string[]): string =>
    execFileSync("cargo", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 });
  const tree = ["tree", "--locked", "--package", crate, "--edges=normal", "--prefix=none"];
  const linked = new Set(cargo(...tree, `--target=${triple}`, "--format={p}").split("\n"));
  // Of other platforms, cargo would fetch what it has not.
  const metadata = cargo(
    "metadata",
    "--format-version=1",
    "--locked",
    `--filter-platform=${triple}`,
  );
  const { packages } = JSON.parse(metadata) as { packages: readonly Crate[] };
  // What is in the workspace has its path behind the version.
  const carried = packages.filter(({ name, version }) =>
    linked.has(`${name} v${version}`) || data.includes(name)
  );
  return text(carried.map((it) => ({ ...it, folder: dirname(it.manifest_path) })));
}

function text(carried: readonly Carried[]): string {
  return carried.map((it) => {
    const file = FILES.flatMap((form) =>
      readdirSync(it.folder).filter((name) => form.test(name))
    )[0];
    const where = typeof it.repository === "object" ? it.repository?.url : it.repository;
    const head = [`${it.name} ${it.version}: ${it.license}`, ...(where == null ? [] : [where])];
    const body = file === undefined
      ? "Its package has no file with the text of its licence."
      : readFileSync(join(it.folder, file), "utf8").trim();
    return `${head.join("\n")}\n\n${body}\n`;
  }).join(`\n${"=".repeat(80)}\n\n`);
}
