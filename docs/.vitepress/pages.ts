/**
 * The pages of the site: Markdown files of the checkout, each with its path on the site.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the checkout. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** The guides, which lose the folder `docs` on the site. */
function guides(): [source: string, page: string][] {
  return readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".md") && name !== "README.md" && !name.startsWith("."))
    .map((name) => [`docs/${name}`, name]);
}

/** The path on the site of each page, by its path in the checkout. */
export const PAGES: Readonly<Record<string, string>> = Object.fromEntries([
  ["README.md", "index.md"],
  ["docs/README.md", "guides.md"],
  ...guides(),
  ["ARCHITECTURE.md", "architecture.md"],
  ["CONTRIBUTING.md", "contributing.md"],
  ["CHANGELOG.md", "changelog.md"],
  ["SECURITY.md", "security.md"],
  ["CODE_OF_CONDUCT.md", "code-of-conduct.md"],
  ["bench/README.md", "measurements.md"],
]);

/** The anchor of a heading, as GitHub makes it, so that a link is right in both places. */
export function slug(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
}
