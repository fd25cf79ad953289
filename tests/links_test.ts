/** Every relative link of the documents leads to a file, and every anchor to a heading. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { slug } from "../docs/.vitepress/pages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The documents at the top of the checkout, those of `docs`, and what was measured. */
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
  "bench/README.md",
];

/** A document without its code, in which brackets are no links and `#` is no heading. */
function prose(markdown: string): string {
  return markdown.replace(/^```.*?^```/gms, "");
}

/** The targets of links and images. */
function links(markdown: string): string[] {
  const text = prose(markdown).replace(/(`+)(?!`).*?\1/g, "code");
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1]!);
}

/** The anchors of headings, as GitHub makes them. */
function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading] of prose(markdown).matchAll(/^#{1,6} +(.+)$/gm)) {
    let anchor = slug(heading!);
    for (let n = 1; found.has(anchor); n++) anchor = `${slug(heading!)}-${n}`;
    found.add(anchor);
  }
  return found;
}

/** What is wrong with the relative links of a document in `folder`. */
function broken(markdown: string, folder: string): string[] {
  return links(markdown).filter((link) => !/^[a-z]+:/.test(link)).flatMap((link) => {
    const [path, anchor] = link.split("#");
    const file = resolve(folder, path!);
    if (path !== "") {
      if (relative(ROOT, file).startsWith("..")) return [`${link}: outside of the checkout`];
      if (!existsSync(file)) return [`${link}: no such file`];
    }
    if (anchor === undefined) return [];
    const target = path === "" ? markdown : statSync(file).isFile() && readFileSync(file, "utf8");
    return target && anchors(target).has(anchor) ? [] : [`${link}: no such heading`];
  });
}

describe("the links of the documents", () => {
  it("are recognized, and a broken one is found", () => {
    const page = "# A `b`, c!\n[1](#a-b-c) [2](#d) [3](no.md) `[4](no)` [5](https://a.example)\n" +
      "```\n[6](no)\n# d\n```\n[7](LICENSE#x) [8](../x) ![9](README.md)";
    assert.deepEqual(broken(page, ROOT), [
      "#d: no such heading",
      "no.md: no such file",
      "LICENSE#x: no such heading",
      "../x: outside of the checkout",
    ]);
  });

  for (const path of DOCUMENTS) {
    it(`resolve: ${path}`, () => {
      const markdown = readFileSync(join(ROOT, path), "utf8");
      assert.deepEqual(broken(markdown, dirname(join(ROOT, path))), []);
    });
  }
});

describe("the README", () => {
  it("has at most 150 lines", () => {
    const lines = readFileSync(join(ROOT, "README.md"), "utf8").trimEnd().split("\n").length;
    assert.ok(lines <= 150, `${lines} lines`);
  });

  it("leads to every guide, over the list of guides", () => {
    const listed = links(readFileSync(join(ROOT, "docs/README.md"), "utf8"));
    const guides = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
    assert.deepEqual(guides.filter((name) => name !== "README.md" && !listed.includes(name)), []);
    assert.ok(links(readFileSync(join(ROOT, "README.md"), "utf8")).includes("docs/README.md"));
  });
});
