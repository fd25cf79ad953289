/**
 * Packs and gathers all files of a release in one folder, under the names that they have on the page of the release.
 *
 *     bun scripts/release/stage.ts --libraries FOLDER --out FOLDER              # libraries as FOLDER/<target>/<file>
 *     bun scripts/release/stage.ts --libraries FOLDER --out FOLDER --partial    # a rehearsal
 *
 * Each library is checked before it is packed. A rehearsal takes the targets that there are.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HEADER, libraryAsset, SBOM } from "./artifacts.ts";
import { checkLibrary, FAULTS_OF_ZIG } from "./check_library.ts";
import { type Target, TARGETS } from "./targets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const { values } = parseArgs({
  options: {
    libraries: { type: "string" },
    out: { type: "string" },
    partial: { type: "boolean", default: false },
  },
});
if (values.libraries === undefined || values.out === undefined) {
  throw new TypeError("stage.ts needs --libraries FOLDER and --out FOLDER");
}
const libraries = resolve(values.libraries);
const out = resolve(values.out);

const pathOf = ({ name, file }: Target) => join(libraries, name, file);

/** Packs with the project's packer into a folder that it may empty, and takes the tarballs. */
function pack(targets: readonly Target[]): void {
  const folder = mkdtempSync(join(tmpdir(), "sluice-stage-"));
  try {
    const pairs = targets.flatMap((it) => ["--library", pathOf(it), "--target", it.name]);
    const command = [join(ROOT, "scripts/pack_npm.ts"), "--out", folder, ...pairs];
    execFileSync(process.execPath, command, { cwd: ROOT, stdio: "inherit" });
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".tgz"))) {
      copyFileSync(join(folder, name), join(out, name));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const staged = TARGETS.filter((target) => existsSync(pathOf(target)));
const missing = TARGETS.filter((target) => !staged.includes(target)).map(({ name }) => name);
if (staged.length === 0) throw new Error(`${libraries} has no library`);
if (missing.length > 0) {
  if (!values.partial) throw new Error(`${libraries} lacks ${missing.join(", ")}`);
  console.log(`not built: ${missing.join(", ")}`);
}
// A rehearsal may have libraries of `make cross`.
const expected = ({ os }: Target) => values.partial && os === "darwin" ? FAULTS_OF_ZIG : undefined;
if (staged.filter((it) => !checkLibrary(pathOf(it), it, expected(it))).length > 0) {
  throw new Error("a library must not be released");
}
mkdirSync(out, { recursive: true });
pack(staged);
for (const target of staged) copyFileSync(pathOf(target), join(out, libraryAsset(target)));
copyFileSync(join(ROOT, "rust/abi/include/sluice.h"), join(out, HEADER));
execFileSync(process.execPath, [join(ROOT, "scripts/release/sbom.ts"), join(out, SBOM)], {
  cwd: ROOT,
  stdio: "inherit",
});
