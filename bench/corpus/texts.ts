/**
 * The documents of the corpus: texts of many kinds in a random order, in which no file comes twice.
 *
 * They come from the npm packages of `package-lock.json`, the crates of `Cargo.lock`, and packages at pinned versions,
 * so that every checkout makes the same corpus. Files are cut at line ends into documents of at most 20,000 UTF-16 units.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { emails, LANGUAGES, messages, prose } from "../corpora.ts";
import { corpora } from "../held_out/corpora.ts";
import { fetchAll, folderOf, unpack } from "../held_out/fetch.ts";
import { type Source, SOURCES } from "../held_out/sources.ts";
import { Random } from "../random.ts";

/** Packages with so much text that a pass takes seconds. */
const LARGE: readonly Source[] = [
  { registry: "pypi", name: "ansible", version: "12.3.0", license: "GPL-3.0" },
  { registry: "pypi", name: "sympy", version: "1.14.0", license: "BSD-3-Clause" },
  { registry: "pypi", name: "transformers", version: "5.24.0", license: "Apache-2.0" },
];

/** A document of the corpus. */
export interface Document {
  readonly kind: string;
  readonly text: string;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MODULES = join(ROOT, "node_modules");
const MAX_UNITS = 20_000;
/** Files with longer lines are minified or data. */
const LONGEST_LINE = 2_000;
const SEED = 0xc0b05;
/** Of the brief corpus. */
const BRIEF_MAILS = 300;

/**
 * Which documents: all of them, those of installed npm packages, or some of these. The latter two need neither the network
 * nor cargo.
 */
export type Scope = "all" | "installed" | "brief";

/** All documents of a corpus. */
export function documents(scope: Scope): Document[] {
  const seen = new Set<string>();
  const kinds = KINDS[scope]();
  const all = kinds.flatMap(([kind, texts]) => {
    const found: Document[] = [];
    for (const text of texts) {
      const hash = createHash("sha256").update(text).digest("base64");
      if (seen.has(hash)) continue;
      seen.add(hash);
      for (const piece of cut(text.toWellFormed())) found.push({ kind, text: piece });
    }
    return found;
  });
  return new Random(SEED).shuffled(all);
}

type Kind = readonly [name: string, texts: Iterable<string>];

/** The kinds of texts of a corpus. */
const KINDS: Readonly<Record<Scope, () => Kind[]>> = {
  brief: () => [["mails", emails(BRIEF_MAILS)], translations()],
  installed: () => [["mails", emails()], ["novel", prose()], translations(), scripts()],
  all() {
    fetchAll();
    LARGE.forEach(unpack);
    const fetched = [...SOURCES, ...LARGE].map(folderOf);
    const markup = /\.(?:h|c|cpp|kt|mm?|po|html|css|txt|ya?ml|rst)$/;
    return [
      ...KINDS.installed(),
      ["held-out texts", corpora().map(({ text }) => text)],
      ["Rust", sources(crates(), /\.rs$/)],
      ["Python", sources(fetched, /\.py$/)],
      ["other languages and markup", sources(fetched, markup)],
      ["documentation", sources([MODULES, ...crates()], /\.md$/)],
    ];
  },
};

function translations(): Kind {
  return ["messages of programs", LANGUAGES.map((language) => messages(language).join("\n"))];
}

function scripts(): Kind {
  return ["JavaScript and TypeScript", sources([MODULES], /\.[cm]?[jt]s$/)];
}

/** The folders of the crates in `Cargo.lock`, which cargo has unpacked. */
function crates(): string[] {
  const args = ["metadata", "--locked", "--format-version", "1"];
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28 } as const;
  const { packages } = JSON.parse(execFileSync("cargo", args, options)) as {
    packages: { name: string; source: string | null; manifest_path: string }[];
  };
  return packages.filter(({ source }) => source !== null)
    .map(({ manifest_path }) => dirname(manifest_path)).sort();
}

/** The texts of the files below folders whose names match, in the order of their paths, without data and minified code. */
function* sources(folders: readonly string[], pattern: RegExp): Generator<string> {
  for (const folder of folders) {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((name) => name.replaceAll("\\", "/")).filter((name) => pattern.test(name)).sort();
    for (const name of names) {
      const text = fileText(join(folder, name));
      if (text !== undefined && !hasLongLine(text)) yield text;
    }
  }
}

/** The text of a file that is UTF-8, and undefined for other files and folders. */
function fileText(path: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof TypeError || (error as { code?: string }).code === "EISDIR") return;
    throw error;
  }
}

function hasLongLine(text: string): boolean {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    if ((end < 0 ? text.length : end) - start > LONGEST_LINE) return true;
    if (end < 0) return false;
    start = end + 1;
  }
  return false;
}

/** Cuts a text behind the last line feed that leaves a piece short enough, or within a line if there is none. */
function* cut(text: string): Generator<string> {
  for (let start = 0, end: number; start < text.length; start = end) {
    end = start + MAX_UNITS;
    if (end < text.length) {
      const line = text.lastIndexOf("\n", end - 1) + 1;
      if (line > start) end = line;
      // No surrogate pair is cut.
      else if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    }
    yield text.slice(start, end);
  }
}
