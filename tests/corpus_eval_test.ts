/** A corpus tokenized by a program that is given on the command line, whose options Workers inherit. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, it } from "node:test";
import { promisify } from "node:util";
import { evalCommand } from "./support/runtime.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-eval-"));
after(() => rmSync(folder, { recursive: true, force: true }));

it("Workers do their units in a program of the command line", async () => {
  writeFileSync(
    join(folder, "in.jsonl"),
    `${JSON.stringify({ text: "Hello, world!" })}\n`.repeat(50),
  );
  const [input, out] = ["in.jsonl", "out"].map((name) => JSON.stringify(join(folder, name)));
  const module = new URL("../src/corpus/mod.ts", import.meta.url).href;
  const [command, ...args] = evalCommand(`
    const { tokenizeCorpus } = await import(${JSON.stringify(module)});
    let threads = 0;
    const { totals } = await tokenizeCorpus([${input}], ${out}, {
      encoding: "o200k_base",
      unitBytes: 500,
      threads: 2,
      onEvent: (event) => {
        if (event.event === "started") threads = event.threads;
        if (event.event === "failed") console.log(event.message);
      },
    });
    console.log(threads, totals.documents, totals.tokens);
  `);
  const env = { ...process.env, NO_COLOR: "1" };
  const { stdout } = await promisify(execFile)(command!, args, { env });
  assert.equal(stdout.trim(), "2 50 250");
});
