/**
 * The documentation site: `make docs` builds it to `.build/docs`, without network.
 *
 * @module
 */
import type { DefaultTheme, UserConfig } from "vitepress";
import { copyFiles, rewriteLinks } from "./links.ts";
import { PAGES, slug } from "./pages.ts";

/** Files that documents link to and that are no pages. */
const files = new Set<string>();

const GUIDES = [
  { text: "Getting started", link: "/getting-started" },
  { text: "Counting", link: "/counting" },
  { text: "Chat requests", link: "/chat-requests" },
  { text: "Rate limits", link: "/rate-limits" },
  { text: "Many machines", link: "/many-machines" },
  { text: "HTTP headers", link: "/http-headers" },
  { text: "Upstream pool", link: "/upstream-pool" },
  { text: "pool.fetch", link: "/fetch" },
  { text: "What counts against an upstream", link: "/blame" },
  { text: "Resources", link: "/resources" },
  { text: "Development and tests", link: "/development-and-tests" },
  { text: "Single executables", link: "/single-executables" },
  { text: "Whole corpora", link: "/whole-corpora" },
  { text: "Batch files", link: "/batch-files" },
  { text: "Command line", link: "/command-line" },
  { text: "Platforms", link: "/platforms" },
  { text: "Errors", link: "/errors" },
];

const PROJECT = [
  { text: "Architecture", link: "/architecture" },
  { text: "Contributing", link: "/contributing" },
  { text: "Security", link: "/security" },
  { text: "Changelog", link: "/changelog" },
];

/** Pages that `deno doc` makes: links to them load a page instead of changing this one. */
const API = ["tokenizer", "limiter", "http", "pool", "shared", "corpus"].map((part) => ({
  text: `sluice/${part}`,
  link: `/api/${part}/index.html`,
  target: "_self",
}));

const config: UserConfig<DefaultTheme.Config> = {
  title: "sluice",
  description:
    "Token counts, rate limits and upstream pools for TypeScript LLM gateways on Bun, Deno and Node.js",
  lang: "en",
  srcDir: "..",
  srcExclude: ["{target,.build,.github,rust,src,tests,examples,scripts}/**", "bench/*/**"],
  outDir: "../.build/docs",
  cacheDir: "../.build/vitepress",
  rewrites: { ...PAGES },
  // The link check of `scripts/docs.ts` covers these, which are made after this one.
  ignoreDeadLinks: [/^\/(?:api|files)\//],
  buildEnd: ({ outDir }) => copyFiles(files, outDir),
  markdown: {
    anchor: { slugify: slug },
    toc: { slugify: slug },
    config(md) {
      md.core.ruler.push("site_links", (state) => rewriteLinks(state, files));
    },
  },
  themeConfig: {
    nav: [
      { text: "Guides", link: "/guides" },
      { text: "Benchmarks", link: "/benchmarks" },
      { text: "API reference", link: "/api/index.html", target: "_self" },
    ],
    sidebar: [
      { text: "Guides", items: GUIDES },
      {
        text: "Evidence",
        items: [
          { text: "Benchmarks", link: "/benchmarks" },
          { text: "How to measure", link: "/measurements" },
          { text: "Exactness", link: "/exactness" },
        ],
      },
      {
        text: "Internals",
        items: [
          { text: "Overview", link: "/internals" },
          { text: "Tokenizer", link: "/internals/tokenizer" },
          { text: "Limiter", link: "/internals/limiter" },
          { text: "Pool", link: "/internals/pool" },
        ],
      },
      { text: "Project", items: PROJECT },
      { text: "Reference", items: [{ text: "Error codes", link: "/reference/errors" }, ...API] },
    ],
    outline: [2, 3],
    search: { provider: "local" },
    docFooter: { prev: false, next: false },
  },
};

export default config;
