/**
 * Tarballs of packages, as npm makes them.
 *
 * @module
 */
import { execFileSync } from "node:child_process";

/** Packs the package in `folder` into `out`. Returns the name of the file. */
export function pack(folder: string, out: string): string {
  const command = ["pack", "--silent", "--pack-destination", out];
  return execFileSync("npm", command, { cwd: folder, encoding: "utf8" }).trim();
}

/** Asks npm what it would publish. Throws if that cannot be published. */
export function checkPublish(folder: string): void {
  execFileSync("npm", ["publish", "--dry-run", "--silent", "--provenance=false"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
