/**
 * The package on JSR: published by `deno publish` to a registry on loopback, and added by Deno, which has nothing but the
 * permission to load libraries.
 *
 * @module
 */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeJsrTree } from "../../scripts/pack/jsr.ts";
import { check } from "./cases.ts";
import { JsrRegistry } from "./jsr_registry.ts";
import { expectOk, type Machine } from "./machine.ts";
import { MAX_MS, PRINTED, writeProgram } from "./programs.ts";

/** The package's name on JSR. */
const NAME = "@sluice/sluice";

/** Has the Workers of corpora, whose script is found by a URL. */
const CORPUS = `import { tokenizeCorpus } from "${NAME}/corpus";
const { totals } = await tokenizeCorpus(["in.jsonl"], "out", {
  encoding: "o200k_base",
  unitBytes: 50,
  threads: 2,
});
console.log(totals.documents, totals.tokens);
`;

/** Runs all cases. */
export async function jsr(machine: Machine): Promise<void> {
  if (!machine.runtimes.has("deno")) return;
  const registry = new JsrRegistry(machine.folder("jsr-registry"));
  await registry.listen();
  try {
    await published(machine, { JSR_URL: registry.url });
  } finally {
    await registry.close();
  }
}

async function published(
  machine: Machine,
  environment: Record<string, string>,
): Promise<void> {
  const path = machine.pathWith("deno");
  const deno = machine.runtimes.get("deno")!;
  const tree = machine.folder("jsr-tree");
  await check("deno publish sends it to JSR", async () => {
    writeJsrTree(tree);
    // As a release does: types are checked, and npm's registry has the dependencies.
    const publish = [deno, "publish", "--token", "any", "--allow-dirty"];
    expectOk(
      await machine.run(publish, tree, { environment, path }),
      "deno publish",
    );
  });
  const folder = machine.folder("jsr");
  await check("deno add takes it from JSR", async () => {
    const add = [deno, "add", `jsr:${NAME}`];
    expectOk(await machine.run(add, folder, { environment, path }), "deno add");
  });
  await check("  and deno runs it, without a download", async () => {
    const run = [
      deno,
      "run",
      "--cached-only",
      "--allow-ffi",
      writeProgram(folder, NAME),
    ];
    let ms = Infinity;
    for (let i = 0; i < 3 && ms >= MAX_MS; i++) {
      const ended = expectOk(
        await machine.run(run, folder, { environment, path }),
        run.join(" "),
      );
      assert.equal(ended.stdout.trim(), PRINTED);
      ms = Math.min(ms, ended.ms);
    }
    assert.ok(ms < MAX_MS, `it took ${ms.toFixed(0)} ms`);
    assert.ok(!existsSync(join(folder, "node_modules")));
    return `counted, limited and pooled in ${ms.toFixed(0)} ms`;
  });
  await check("  and its Workers find their script", async () => {
    writeFileSync(
      join(folder, "in.jsonl"),
      '{"text":"Hello, world!"}\n'.repeat(4),
    );
    writeFileSync(join(folder, "corpus.mjs"), CORPUS);
    const permissions = ["--allow-ffi", "--allow-read", "--allow-write"];
    const run = [deno, "run", ...permissions, "corpus.mjs"];
    const ended = expectOk(
      await machine.run(run, folder, { environment, path }),
      run.join(" "),
    );
    assert.equal(ended.stdout.trim(), "4 20");
  });
}
