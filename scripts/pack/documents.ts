/**
 * Documents of the packages: what they say of a checkout is replaced by what holds for users of the package.
 *
 * @module
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout, ROOT } from "./manifest.ts";

/** An import of the package, with the path behind its name. */
const IMPORT = new RegExp(`^${checkout.name}((?:/.*)?)$`);

/** Replaces imports of a checkout's `mod.ts`, and of the package, in examples by those of the package named `name`. */
export function documented(text: string, name: string = checkout.name): string {
  return text.replaceAll(
    /^(.*\b(?:from|import)\b[ (]*")([^"]+)(".*)$/gm,
    (line, head, from, tail) => {
      const path = from === "./mod.ts" ? "" : IMPORT.exec(from)?.[1];
      return path === undefined ? line : head + name + path + tail;
    },
  );
}

/** The same in the comments of code. */
export function documentedCode(code: string, name?: string): string {
  return code.replaceAll(/^[ \t]*\*.*$/gm, (line) => documented(line, name));
}

/** Copies the guides, and `files` at the top of the checkout, into `folder`. */
export function writeDocuments(files: readonly string[], folder: string, name?: string): void {
  const guides = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join("docs", path));
  for (const path of [...guides, ...files]) {
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true });
    if (path.endsWith(".md")) {
      writeFileSync(to, documented(readFileSync(join(ROOT, path), "utf8"), name));
    } else copyFileSync(join(ROOT, path), to);
  }
}
