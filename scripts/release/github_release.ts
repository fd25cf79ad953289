/**
 * Makes the release on GitHub, with all files of a folder: a draft first, published when every file is there.
 *
 *     node scripts/release/github_release.ts FOLDER --tag v0.1.0 --notes FILE [--dry-run]
 *
 * It can be run again after a failure. A file that the release has with the same SHA-256 is skipped, and with another one
 * it is an error. Needs GitHub's command `gh`, which asks for `GH_TOKEN`.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { digest, filesIn } from "./artifacts.ts";

/** A file of a release, as GitHub tells it. */
export interface Asset {
  readonly name: string;
  /** `sha256:` and the digest in hexadecimal. */
  readonly digest: string;
}

/** What GitHub has of a release. */
export interface Existing {
  readonly isDraft: boolean;
  readonly assets: readonly Asset[];
}

/**
 * The commands that make a release out of what there is of it.
 *
 * @throws If the release has a file of that name with another content.
 */
export function releaseCommands(
  tag: string,
  notes: string,
  files: readonly (Asset & { readonly path: string })[],
  existing: Existing | undefined,
): string[][] {
  const commands: string[][] = [];
  if (existing === undefined) {
    const create = ["release", "create", tag, "--draft", "--verify-tag", "--title", tag];
    create.push("--notes-file", notes);
    // npm and GitHub agree on which release is the newest.
    if (tag.includes("-")) create.push("--prerelease");
    commands.push(create);
  }
  const known = new Map(existing?.assets.map((it) => [it.name, it.digest]));
  for (const { name, digest, path } of files) {
    const there = known.get(name);
    if (there === undefined) commands.push(["release", "upload", tag, path]);
    else if (there !== digest) {
      throw new Error(`release ${tag} has ${name} with ${there}, not ${digest}`);
    }
  }
  if (existing?.isDraft !== false) commands.push(["release", "edit", tag, "--draft=false"]);
  return commands;
}

/** Asks GitHub what it has of a release. */
function existingRelease(tag: string): Existing | undefined {
  const args = ["release", "view", tag, "--json", "isDraft,assets"];
  const { status, stdout, stderr, error } = spawnSync("gh", args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status === 0) return JSON.parse(stdout);
  if (/release not found/.test(stderr)) return undefined;
  throw new Error(`gh ${args.join(" ")} failed: ${stderr}`);
}

if (import.meta.main) {
  const { positionals: [folder], values: { tag, notes, "dry-run": isDry } } = parseArgs({
    allowPositionals: true,
    options: {
      tag: { type: "string" },
      notes: { type: "string" },
      "dry-run": { type: "boolean", default: false },
    },
  });
  if (folder === undefined || tag === undefined || notes === undefined) {
    throw new TypeError("github_release.ts needs a folder, --tag and --notes");
  }
  const files = [...filesIn(folder), "SHA256SUMS"].map((name) => {
    const path = join(folder, name);
    return { name, path, digest: `sha256:${digest(path, "sha256", "hex")}` };
  });
  const existing = isDry ? undefined : existingRelease(tag);
  for (const command of releaseCommands(tag, notes, files, existing)) {
    console.log(`gh ${command.join(" ")}`);
    if (!isDry) execFileSync("gh", command, { stdio: "inherit" });
  }
}
