/** The link check of the documentation site. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { PAGES, slug } from "../docs/.vitepress/pages.ts";
import { siteLink } from "../docs/.vitepress/links.ts";
import { checkSite } from "../scripts/site_links.ts";

const site = mkdtempSync(join(tmpdir(), "sluice-site-"));
after(() => rmSync(site, { recursive: true, force: true }));

function page(name: string, html: string): void {
  mkdirSync(join(site, dirname(name)), { recursive: true });
  writeFileSync(join(site, name), html);
}

describe("the link check of the site", () => {
  it("finds links to missing files and anchors, and assets of other hosts", () => {
    page(
      "index.html",
      `<a class="x" href="/a/b.html#there">1</a><a href="a/">2</a><a href="/a/b">3</a>` +
        `<a href="https://other.example/">4</a><a href="#top">5</a><h1 id="top"></h1>` +
        `<script src="/a/s.js">"<a href='/not-a-link'>"</script><a href="/no.html">6</a>` +
        `<a href="/a/b.html#nowhere">7</a><link rel="stylesheet" href="//cdn.example/x.css">`,
    );
    page("a/index.html", "");
    page("a/b.html", `<p id="there"><a href="../index.html?x#top">8</a><img src="gone.png">`);
    page("a/s.js", "");
    const { links, broken } = checkSite(site);
    assert.equal(links, 11);
    assert.deepEqual(broken.map(({ page, link, reason }) => `${page} ${link} ${reason}`).sort(), [
      "a/b.html gone.png no such file",
      "index.html //cdn.example/x.css loaded from another host",
      "index.html /a/b.html#nowhere no such anchor",
      "index.html /no.html no such file",
    ]);
  });
});

describe("the links between documents", () => {
  it("lead to pages of the site, or to copies of files that are no pages", () => {
    assert.equal(
      siteLink("../README.md#where-it-runs", "docs/errors.md"),
      "/index.md#where-it-runs",
    );
    assert.equal(siteLink("counting.md", "docs/README.md"), "/counting.md");
    assert.equal(siteLink("../blame.md", "docs/internals/pool.md"), "/blame.md");
    assert.equal(siteLink("docs/", "README.md"), "/files/docs.txt");
    assert.equal(siteLink("../src/pool/blame.ts", "docs/blame.md"), "/files/src/pool/blame.ts.txt");
    for (const link of ["https://a.example/b.md", "#here", "/api/index.html"]) {
      assert.equal(siteLink(link, "README.md"), link);
    }
  });

  it("have the anchors of GitHub", () => {
    assert.equal(slug("What `pool.fetch` does, and why"), "what-poolfetch-does-and-why");
  });

  it("cover every guide once", () => {
    const pages = Object.values(PAGES);
    assert.equal(new Set(pages).size, pages.length);
    assert.ok(pages.includes("internals/pool.md") && pages.includes("counting.md"));
  });
});
