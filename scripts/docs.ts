/**
 * Builds the documentation site to `.build/docs`: the guides by VitePress and the API reference by `deno doc`, without
 * network. Fails if a link leads nowhere.
 *
 *     bun scripts/docs.ts
 *
 * @module
 */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execute } from "./run.ts";
import { checkSite } from "./site_links.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SITE = join(ROOT, ".build/docs");
const BIN = "node_modules/.bin";
/** The parts of the API. `mod.ts` would list all symbols a second time. */
const API = ["tokenizer", "limiter", "http", "pool", "shared", "corpus"].map((part) =>
  `src/${part}/mod.ts`
);

async function must(command: readonly string[]): Promise<void> {
  const { code } = await execute(command);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with exit code ${code}`);
}

/** Leads links to source files, which `deno doc` writes with the path of this checkout, to copies on the site. */
function copySources(): void {
  const escaped = pathToFileURL(ROOT).href.replaceAll("/", "&#x2F;");
  const sources = new Set<string>();
  for (const name of readdirSync(join(SITE, "api"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".html")) continue;
    const page = join(SITE, "api", name);
    const [first, ...rest] = readFileSync(page, "utf8").split(`"${escaped}`);
    const led = rest.map((text) => {
      const end = text.indexOf('"');
      const source = text.slice(0, end).replaceAll("&#x2F;", "/");
      sources.add(source);
      return `"/files/${source}.txt${text.slice(end)}`;
    });
    if (rest.length > 0) writeFileSync(page, [first, ...led].join(""));
  }
  for (const source of sources) {
    cpSync(join(ROOT, source), join(SITE, "files", `${source}.txt`));
  }
}

/** Puts a list of the parts on the start page of the API reference, which `deno doc` leaves empty. */
function fillStartPage(): void {
  const page = join(SITE, "api/index.html");
  const list = readFileSync(join(ROOT, "docs/.vitepress/api.html"), "utf8");
  const [head, ...rest] = readFileSync(page, "utf8").split("<main></main>");
  if (rest.length !== 1) {
    throw new Error("the start page of the API reference is not empty any more");
  }
  writeFileSync(page, `${head}<main>${list}</main>${rest[0]}`);
}

process.chdir(ROOT);
rmSync(SITE, { recursive: true, force: true });
await must([`${BIN}/vitepress`, "build", "docs"]);
const html = ["--html", "--name=sluice", `--output=${join(SITE, "api")}`];
await must([`${BIN}/deno`, "doc", "--quiet", ...html, ...API]);
copySources();
fillStartPage();
const { links, broken: found } = checkSite(SITE);
// deno doc links the parameter of a mapped type to an anchor that it does not write.
const broken = found.filter(({ link }) => !link.startsWith("#type_param_"));
for (const { page, link, reason } of broken) console.log(`${page}: ${link}: ${reason}`);
console.log(`${links} links, ${broken.length} broken; the site is in .build/docs`);
process.exitCode = broken.length === 0 ? 0 : 1;
