/**
 * Tables of file names: which files of a folder are text.
 *
 * @module
 */

/** Suffixes of text files, in lower case. */
const TEXT_SUFFIXES = words(`
  txt text md markdown mdx rst adoc asciidoc org tex bib log prompt eml srt vtt po
  csv tsv json jsonl ndjson jsonc json5 yaml yml toml ini cfg conf properties xml svg
  html htm xhtml css scss sass less vue svelte astro
  js mjs cjs jsx ts mts cts tsx
  py pyi rb php pl pm lua r jl go rs zig nim swift dart
  c h cc cpp cxx hh hpp hxx m mm cs fs fsx vb
  java kt kts scala groovy gradle clj cljs edn ex exs erl hrl hs lhs ml mli elm
  sh bash zsh fish ps1 bat cmd sql graphql gql proto thrift
  tf hcl nix cmake mk diff patch jinja j2 tmpl tpl hbs ejs`);

/** Names of text files without a suffix, in lower case. */
const TEXT_NAMES = words(`
  readme license licence copying notice authors changelog contributing todo
  makefile dockerfile containerfile justfile rakefile gemfile procfile jenkinsfile`);

const LINE_SUFFIXES = words("jsonl ndjson");

/** Folders that are entered only if they are named: dependencies and version control. */
const SKIPPED_FOLDERS = words("node_modules .git .hg .svn");

/** The help on which files of a folder are selected. */
export function foldersHelp(command: string): string {
  const lines = ["count", "encode"].includes(command)
    ? `\n    with --jsonl only those with ${[...LINE_SUFFIXES].join(" and ")};`
    : "";
  return `
Folders are read with all that is in them, in the order of names:
  - files with a suffix of text:
${wrap([...TEXT_SUFFIXES], 4, 80)}
    and files called
${wrap([...TEXT_NAMES], 4, 80)};${lines}
  - with --include, the files that match one of the patterns instead;
  - without names that begin with a dot, unless --hidden is given;
  - never ${[...SKIPPED_FOLDERS].join(", ")}, or links,
    unless they are named themselves.
Patterns: * is anything but /, ** is any folders, ? is a character, {a,b} is
one of these. One without a / is compared with names, any other with the path
inside the folder. A file that is named is always read. The names of files may
be patterns too, which matters in shells that do not expand them.`;
}

/** Whether a file of this name is text, or, if `lines` is true, JSON Lines. */
export function isTextName(name: string, lines: boolean): boolean {
  const lower = name.toLowerCase();
  const dot = lower.lastIndexOf(".");
  const suffix = lower.slice(dot + 1);
  if (lines) return dot >= 0 && LINE_SUFFIXES.has(suffix);
  return dot < 0 ? TEXT_NAMES.has(lower) : TEXT_SUFFIXES.has(suffix);
}

/** Whether a folder of this name is not entered. */
export function isSkippedFolder(name: string): boolean {
  return SKIPPED_FOLDERS.has(name);
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

function wrap(words: readonly string[], indent: number, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((line) => " ".repeat(indent) + line).join("\n");
}
