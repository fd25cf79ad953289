/** To import the first of Node's modules costs a Deno program 20 ms: the library imports none. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** All modules that a module imports, directly or not. */
function graph(file: string): string[] {
  const output = execFileSync(process.execPath, ["info", "--json", file], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const { modules } = JSON.parse(output) as { modules: { specifier: string }[] };
  return modules.map(({ specifier }) => specifier);
}

describe("the modules of Node", () => {
  for (const file of ["mod.ts", "src/tokenizer/mod.ts", "src/limiter/mod.ts", "src/pool/mod.ts"]) {
    it(`are not imported by ${file}`, () => {
      const modules = graph(file);
      assert.ok(modules.some((specifier) => specifier.endsWith("/src/ffi/load.ts")));
      // Loaded when strings of megabytes have been seen.
      const early = modules.filter((specifier) => specifier.startsWith("node:"));
      assert.deepEqual(early.filter((specifier) => specifier !== "node:v8"), []);
    });
  }
});
