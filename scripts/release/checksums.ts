/**
 * Writes or verifies `SHA256SUMS`, in the format of `sha256sum`, over all files of a folder.
 *
 *     node scripts/release/checksums.ts FOLDER            # writes it
 *     node scripts/release/checksums.ts FOLDER --verify   # exits with 1 if a file differs, lacks or is not listed
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { digest, filesIn } from "./artifacts.ts";

const NAME = "SHA256SUMS";

/** The content of `SHA256SUMS` for a folder. */
export function checksums(folder: string): string {
  return filesIn(folder).map((name) => `${digest(join(folder, name), "sha256", "hex")}  ${name}\n`)
    .join("");
}

/** A sentence for each file that is not as `SHA256SUMS` says. */
export function checksumFaults(folder: string): string[] {
  const entries = (text: string) =>
    new Map(
      text.split("\n").filter((line) => line !== "").map((line): [string, string] => [
        line.slice(66),
        line.slice(0, 64),
      ]),
    );
  const stated = entries(readFileSync(join(folder, NAME), "utf8"));
  const found = entries(checksums(folder));
  const faults: string[] = [];
  for (const [name, sum] of stated) {
    if (!found.has(name)) faults.push(`${name} is missing`);
    else if (found.get(name) !== sum) faults.push(`${name} has another SHA-256`);
  }
  for (const name of found.keys()) if (!stated.has(name)) faults.push(`${name} is not listed`);
  return faults;
}

if (import.meta.main) {
  const { positionals: [folder], values: { verify } } = parseArgs({
    allowPositionals: true,
    options: { verify: { type: "boolean", default: false } },
  });
  if (folder === undefined) throw new TypeError("checksums.ts needs a folder");
  if (verify) {
    const faults = checksumFaults(folder);
    for (const fault of faults) console.error(`${NAME}: ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  } else writeFileSync(join(folder, NAME), checksums(folder));
}
