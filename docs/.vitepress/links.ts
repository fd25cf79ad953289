/**
 * Links between documents of the checkout, as the site has them.
 *
 * A document links to other files by paths that are right in the checkout. On the site, pages have other paths, and a
 * file that is no page (source code, a record) is a copy below `files`, as plain text.
 *
 * @module
 */
import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { PAGES, ROOT } from "./pages.ts";

/** The link on the site for `href` in the document `source`. */
export function siteLink(href: string, source: string): string {
  if (/^(?:[a-z]+:|#|\/)/.test(href)) return href;
  const [path, anchor] = href.split("#");
  const target = posix.normalize(posix.join(posix.dirname(source), path!)).replace(/\/$/, "");
  const page = PAGES[target];
  const link = page === undefined ? `/files/${target}.txt` : `/${page}`;
  return anchor === undefined ? link : `${link}#${anchor}`;
}

/** A token of markdown-it, as far as links need it. */
interface Token {
  readonly type: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** A document that markdown-it has parsed. */
interface Parsed {
  readonly tokens: readonly Token[];
  readonly env: { readonly realPath?: string; readonly path?: string };
}

/** Rewrites the links of a parsed document, and notes the files that they lead to. */
export function rewriteLinks({ tokens, env }: Parsed, files: Set<string>): void {
  const path = env.realPath ?? env.path;
  if (path === undefined) return;
  const source = posix.relative(ROOT.replaceAll("\\", "/"), path.replaceAll("\\", "/"));
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    const href = token.type === "link_open" ? token.attrGet("href") : null;
    if (href === null) continue;
    const link = siteLink(href, source);
    token.attrSet("href", link);
    if (link.startsWith("/files/")) files.add(link.slice("/files/".length, -".txt".length));
  }
}

/** Copies the files that documents link to into the built site. The copy of a folder is the list of its files. */
export function copyFiles(files: ReadonlySet<string>, site: string): void {
  for (const file of files) {
    const from = join(ROOT, file);
    const to = join(site, "files", `${file}.txt`);
    if (statSync(from).isFile()) cpSync(from, to);
    else {
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, readdirSync(from).sort().map((name) => `${name}\n`).join(""));
    }
  }
}
