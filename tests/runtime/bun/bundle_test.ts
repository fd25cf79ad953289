/** What only Bun has: its bundler and `bun build --compile`. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { library } from "../../../src/ffi/load.ts";

const MOD = fileURLToPath(new URL("../../../mod.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sluice-bun-"));
const entry = join(folder, "entry.ts");
writeFileSync(
  entry,
  `import { Tokenizer } from ${JSON.stringify(MOD)};
   console.log(new Tokenizer("o200k_base").count("Hello, world!"));`,
);
after(() => rmSync(folder, { recursive: true, force: true }));

const env = { ...process.env, SLUICE_LIB: library().path };

describe("Bun", () => {
  it("runs a bundle that finds the library by SLUICE_LIB", () => {
    const out = join(folder, "bundle.js");
    execFileSync(process.execPath, ["build", entry, "--target=bun", `--outfile=${out}`]);
    assert.equal(execFileSync(process.execPath, [out], { env, encoding: "utf8" }).trim(), "4");
  });

  it("runs a compiled executable that finds the library by SLUICE_LIB", () => {
    const out = join(folder, "program");
    execFileSync(process.execPath, ["build", entry, "--compile", `--outfile=${out}`]);
    assert.equal(execFileSync(out, { env, encoding: "utf8" }).trim(), "4");
  });
});
