/**
 * The version of this project, in every file that states it.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A version, and which file states it. */
export interface Statement {
  readonly where: string;
  readonly version: string;
}

/** Reads a file of the repository by its path from the root. */
export type Read = (file: string) => string;

/** Reads files below `root`. */
export function readBelow(root: string): Read {
  return (file) => readFileSync(join(root, file), "utf8");
}

/** Every statement of the version. A file that should state one and does not gives an empty version. */
export function statedVersions(read: Read): Statement[] {
  const json = (file: string): { readonly version?: string } => JSON.parse(read(file));
  const statements = ["package.json", "package-lock.json", "deno.json"]
    .map((file) => ({ where: file, version: json(file).version ?? "" }));
  const cargo = read("Cargo.toml");
  const inherited = /^\[workspace\.package\]\n(?:[^[\n].*\n)*?version = "(.*)"/m.exec(cargo)?.[1];
  statements.push({ where: "Cargo.toml", version: inherited ?? "" });
  for (const [, name, version] of cargo.matchAll(/^(sluice-\w+) = .*\bversion = "(.*?)"/gm)) {
    statements.push({ where: `Cargo.toml, ${name}`, version: version! });
  }
  // The crate for fuzzing has a lock file and a version of its own.
  for (const file of ["Cargo.lock", "rust/fuzz/Cargo.lock"]) {
    const crates = read(file).matchAll(/^name = "(sluice-(?!fuzz").*)"\nversion = "(.*)"/gm);
    for (const [, name, version] of crates) {
      statements.push({ where: `${file}, ${name}`, version: version! });
    }
  }
  return statements;
}

/** A sentence for each statement that differs from `version`. */
export function disagreements(statements: readonly Statement[], version: string): string[] {
  return statements.filter((it) => it.version !== version)
    .map((it) => `${it.where} states version "${it.version}", not ${version}`);
}

/** One section of CHANGELOG.md. */
export interface Section {
  readonly version: string;
  /** The day of the release, or `undefined` if the heading has none. */
  readonly date: string | undefined;
  /** What is between this heading and the next, as Markdown. */
  readonly text: string;
}

/** The sections of a changelog, in its order: the newest first. */
export function changelogSections(changelog: string): Section[] {
  return changelog.split(/^## /m).slice(1).map((part) => {
    const [heading, ...lines] = part.split("\n");
    const [, version, date] = /^\[?([^\s\]]+)\]?(?: - (\d{4}-\d\d-\d\d))?/.exec(heading!)!;
    return { version: version!, date, text: lines.join("\n").trim() };
  });
}

/** What keeps a changelog from being that of a release of `version`: a sentence for each fault. */
export function changelogFaults(changelog: string, version: string): string[] {
  const faults: string[] = [];
  const sections = changelogSections(changelog);
  const section = sections.find((it) => it.version === version);
  if (section === undefined) faults.push(`CHANGELOG.md has no section ${version}`);
  else {
    if (section.date === undefined) faults.push(`CHANGELOG.md gives no date for ${version}`);
    if (section.text === "") faults.push(`CHANGELOG.md says nothing of ${version}`);
  }
  const unreleased = sections.find((it) => it.version.toLowerCase() === "unreleased");
  if (unreleased !== undefined && unreleased.text !== "") {
    faults.push(`CHANGELOG.md still has entries under Unreleased: move them to ${version}`);
  }
  return faults;
}
