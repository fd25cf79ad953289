/**
 * The links of a built site: every link leads to a file of the site, and to an element if it has an anchor; nothing is
 * loaded from elsewhere.
 *
 * @module
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix, sep } from "node:path";

/** A link of a page that leads nowhere, or an asset that another host would serve. */
export interface BrokenLink {
  readonly page: string;
  readonly link: string;
  readonly reason: "no such file" | "no such anchor" | "loaded from another host";
}

const LINK = /<(\w+)\b[^>]*?\s(?:href|src)="([^"]*)"/g;

/** The text of an attribute, without the character references that occur in links. */
function unescape(attribute: string): string {
  return attribute
    .replace(
      /&#(x?)([\da-f]+);/gi,
      (_, hex, digits) => String.fromCodePoint(Number.parseInt(digits, hex === "" ? 10 : 16)),
    )
    .replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** The broken links of all pages below `site`, and how many links there are. */
export function checkSite(site: string): { links: number; broken: BrokenLink[] } {
  const files = new Set(
    readdirSync(site, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(site, name)).isFile())
      .map((name) => name.replaceAll(sep, "/")),
  );
  const pages = new Map(
    [...files].filter((name) => name.endsWith(".html"))
      .map((name) => [name, readFileSync(join(site, name), "utf8")]),
  );
  const anchors = new Map<string, ReadonlySet<string>>();
  const broken: BrokenLink[] = [];
  let links = 0;
  for (const [page, html] of pages) {
    // Scripts hold the same links once more, in forms that are no HTML.
    const body = html.replace(/(<script\b[^>]*>).*?<\/script>/gs, "$1");
    for (const [, tag, escaped] of body.matchAll(LINK)) {
      const link = unescape(escaped!);
      links++;
      const reason = fault(page, tag!, link);
      if (reason !== undefined) broken.push({ page, link, reason });
    }
  }
  return { links, broken };

  function fault(page: string, tag: string, link: string): BrokenLink["reason"] | undefined {
    if (/^(?:https?:)?\/\//.test(link)) return tag === "a" ? undefined : "loaded from another host";
    if (/^(?:data|mailto|javascript):/.test(link)) return undefined;
    const [path, anchor] = link.split("#").map(decodeURIComponent);
    const file = path === "" ? page : target(page, path!);
    if (file === undefined) return "no such file";
    if (!anchor || !file.endsWith(".html")) return undefined;
    return anchorsOf(file).has(anchor) ? undefined : "no such anchor";
  }

  function target(page: string, path: string): string | undefined {
    const base = path.startsWith("/") ? "" : posix.dirname(page);
    const file = posix.normalize(posix.join(base, path.split("?")[0]!)).replace(/^\//, "");
    return [file, posix.join(file, "index.html"), `${file}.html`].find((name) => files.has(name));
  }

  function anchorsOf(file: string): ReadonlySet<string> {
    let found = anchors.get(file);
    if (found === undefined) {
      const ids = pages.get(file)!.matchAll(/\s(?:id|name)="([^"]*)"/g);
      found = new Set([...ids].map((match) => unescape(match[1]!)));
      anchors.set(file, found);
    }
    return found;
  }
}
