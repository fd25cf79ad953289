/**
 * Writes the tree that is published to JSR: the sources, which find the library through `@sluice/native`.
 *
 *     bun scripts/pack_jsr.ts               # writes .build/jsr
 *     bun scripts/pack_jsr.ts --out FOLDER  # elsewhere
 *     bun scripts/pack_jsr.ts --check       # and asks deno what it would publish
 *
 * `deno publish` runs in that folder.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { linkDependencies, writeJsrTree } from "./pack/jsr.ts";
import { ROOT } from "./pack/manifest.ts";

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(ROOT, ".build/jsr") },
    check: { type: "boolean", default: false },
  },
});
const out = resolve(values.out);
rmSync(out, { recursive: true, force: true });
writeJsrTree(out);
console.log(`wrote ${out}`);
if (values.check) {
  linkDependencies(out);
  const publish = ["publish", "--dry-run", "--allow-dirty", "--quiet"];
  execFileSync(join(ROOT, "node_modules/.bin/deno"), publish, { cwd: out, stdio: "inherit" });
}
