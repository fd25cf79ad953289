/** The README's programs, run as they are written, each in a process of its own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { statusCodes } from "../src/ffi/symbols.gen.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
/** How this runtime runs a file, with no more than the README says. */
const RUN = process.versions["bun"] === undefined ? ["run", "--allow-ffi", "--config", CONFIG] : [];

const folder = mkdtempSync(join(tmpdir(), "sluice-readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Blocks of TypeScript that import the checkout: whole programs, and not parts of one. */
const PROGRAMS = [...README.matchAll(/^```ts\n(.*?)^```/gms)]
  .map((match) => match[1]!)
  .filter((code) => code.includes(`from "./mod.ts"`));

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
  it("are in the README, each with what to do", () => {
    for (const code of Object.values(statusCodes)) {
      const isThere = README.includes(`\`${code}\``);
      assert.equal(isThere, !INTERNAL.includes(code.replace("SLUICE_", "")), code);
    }
  });
});

describe("the programs of the README", () => {
  it("are there", () => {
    assert.ok(PROGRAMS.length >= 4, `${PROGRAMS.length} programs`);
    assert.ok(PROGRAMS.flatMap(promised).length >= 5);
  });

  for (const [i, code] of PROGRAMS.entries()) {
    const title = /^(?:const|using|await) .*/m.exec(code)?.[0] ?? code.split("\n")[0]!;
    it(`print what they say: ${title}`, () => {
      const file = join(folder, `program${i}.ts`);
      const mod = new URL("../mod.ts", import.meta.url).href;
      writeFileSync(file, code.replaceAll(`"./mod.ts"`, JSON.stringify(mod)));
      const printed = execFileSync(process.execPath, [...RUN, file], { encoding: "utf8" });
      for (const line of promised(code)) {
        assert.ok(plain(printed).includes(plain(line)), `${line} is not in:\n${printed}`);
      }
    });
  }
});
