/**
 * Prints the section of CHANGELOG.md for one version: the notes of its release.
 *
 *     node scripts/release/notes.ts --version 0.1.0
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { changelogSections, readBelow } from "./versions.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Said in every release. SECURITY.md has the details. */
const VERIFY = "How to verify these files: `gh attestation verify FILE --repo REPOSITORY`, " +
  "`sha256sum --check SHA256SUMS`, `npm audit signatures`.";

/** The notes of `version`, or `undefined` if the changelog has no section for it. */
export function releaseNotes(changelog: string, version: string): string | undefined {
  const text = changelogSections(changelog).find((it) => it.version === version)?.text;
  return text === undefined || text === "" ? undefined : `${text}\n\n${VERIFY}\n`;
}

if (import.meta.main) {
  const { values: { version } } = parseArgs({ options: { version: { type: "string" } } });
  if (version === undefined) throw new TypeError("notes.ts needs --version");
  const notes = releaseNotes(readBelow(ROOT)("CHANGELOG.md"), version);
  if (notes === undefined) {
    console.error(`CHANGELOG.md has no section ${version}`);
    process.exitCode = 1;
  } else process.stdout.write(notes);
}
