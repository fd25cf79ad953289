/**
 * A project that has sluice installed, for the load bench.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installPacked } from "../scripts/install_packed.ts";
import { INSTALLED_NAMES, type InstalledName } from "./engines.ts";

/** A folder with the packages in its `node_modules`. */
export class Project implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-load-"));

  /** Packs the packages and installs them: some seconds. */
  constructor() {
    installPacked(this.#folder);
    writeFileSync(join(this.#folder, "package.json"), `{ "type": "module" }`);
    for (const name of INSTALLED_NAMES) {
      const code = `export default () => import(${JSON.stringify(name)});\n`;
      writeFileSync(join(this.#folder, fileOf(name)), code);
    }
  }

  /** The URL of a module of the project, whose default export is a function that imports `name`. */
  importer(name: InstalledName): string {
    return pathToFileURL(join(this.#folder, fileOf(name))).href;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

function fileOf(name: InstalledName): string {
  return `import_${name.replace("/", "_")}.js`;
}
