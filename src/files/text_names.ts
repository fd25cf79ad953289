/**
 * Tables of file names: which files of a folder are text.
 *
 * @module
 */

/** Suffixes of text files, in lower case. */
export const TEXT_SUFFIXES: ReadonlySet<string> = words(`
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
export const TEXT_NAMES: ReadonlySet<string> = words(`
  readme license licence copying notice authors changelog contributing todo
  makefile dockerfile containerfile justfile rakefile gemfile procfile jenkinsfile`);

export const LINE_SUFFIXES: ReadonlySet<string> = words("jsonl ndjson");

/** Folders that are entered only if they are named: dependencies and version control. */
export const SKIPPED_FOLDERS: ReadonlySet<string> = words("node_modules .git .hg .svn");

/** Files that are known by their names. */
export interface NamedKind {
  /** Whether a file of this name is one. */
  readonly takes: (name: string) => boolean;
  /** One such file in words, for messages. */
  readonly described: string;
}

/** Text files. */
export const TEXT: NamedKind = {
  takes: (name) => {
    const lower = name.toLowerCase();
    const suffix = suffixOf(lower);
    return suffix === undefined ? TEXT_NAMES.has(lower) : TEXT_SUFFIXES.has(suffix);
  },
  described: "file with a suffix of text",
};

/** JSON Lines. */
export const LINES: NamedKind = {
  takes: (name) => LINE_SUFFIXES.has(suffixOf(name.toLowerCase()) ?? ""),
  described: ".jsonl file",
};

/** Whether a folder of this name is not entered. */
export function isSkippedFolder(name: string): boolean {
  return SKIPPED_FOLDERS.has(name);
}

function suffixOf(name: string): string | undefined {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? undefined : name.slice(dot + 1);
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
