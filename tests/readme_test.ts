/** The programs of the README and of `docs`, run as they are written, each in a process of its own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { statusCodes } from "../src/ffi/symbols.gen.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CONFIG = join(ROOT, "deno.json");
/** How this runtime runs a file, with no more than the documents say. */
const RUN = process.versions["bun"] === undefined ? ["run", "--allow-ffi", "--config", CONFIG] : [];

const folder = mkdtempSync(join(tmpdir(), "sluice-readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const DOCUMENTS = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)).sort(),
];

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Every block of TypeScript: each is a whole program. */
const PROGRAMS = DOCUMENTS.flatMap((path) =>
  [...read(path).matchAll(/^```ts\n(.*?)^```/gms)].map((match) => ({ path, code: match[1]! }))
);

/** A file with the program, which imports this checkout. */
function written(code: string, name: string): string {
  const file = join(folder, name);
  const mod = new URL("../mod.ts", import.meta.url).href;
  writeFileSync(file, code.replaceAll(`"./mod.ts"`, JSON.stringify(mod)));
  return file;
}

/** What the comments behind, or below, calls of `console.log` say that they print. */
function promised(code: string): string[] {
  const comments = code.matchAll(/console\.log\(.*\);(?: +|\n)\/\/ (.*)$/gm);
  // What is left out, or goes on in words, cannot be compared.
  return [...comments].map((match) => match[1]!)
    .filter((line) => !line.includes("…"));
}

/** As it looks in both runtimes, which break lines and quote differently. */
function plain(text: string): string {
  return text.replace(/["\s]/g, "").replaceAll(",]", "]");
}

/** Codes that only a mistake within sluice could let through. */
const INTERNAL = ["INVALID_ARGUMENT", "INVALID_HANDLE", "WRONG_STEP", "STOPPED"];

describe("the codes of errors", () => {
  it("are in docs/errors.md, each with what to do", () => {
    const errors = read("docs/errors.md");
    for (const code of Object.values(statusCodes)) {
      const isThere = errors.includes(`\`${code}\``);
      assert.equal(isThere, !INTERNAL.includes(code.replace("SLUICE_", "")), code);
    }
  });
});

describe("the programs of the documents", () => {
  it("are there, and most say what they print", () => {
    assert.ok(PROGRAMS.some(({ path }) => path === "README.md"));
    assert.ok(PROGRAMS.length >= 12, `${PROGRAMS.length} programs`);
    assert.ok(PROGRAMS.flatMap(({ code }) => promised(code)).length >= 20);
  });

  // Bun has no type check; types are the same in both.
  it("pass the type check", { skip: RUN.length === 0 }, () => {
    const files = PROGRAMS.map(({ code }, i) => written(code, `checked${i}.ts`));
    execFileSync(process.execPath, ["check", "--quiet", "--config", CONFIG, ...files]);
  });

  for (const [i, { path, code }] of PROGRAMS.entries()) {
    const title = /^(?:const|using|await) .*/m.exec(code)?.[0] ?? code.split("\n")[0]!;
    it(`print what they say: ${path}, ${title}`, () => {
      assert.match(code, /from "\.\/mod\.ts";/, "not a whole program");
      const file = written(code, `program${i}.ts`);
      const printed = execFileSync(process.execPath, [...RUN, file], { encoding: "utf8" });
      for (const line of promised(code)) {
        assert.ok(plain(printed).includes(plain(line)), `${line} is not in:\n${printed}`);
      }
    });
  }
});
