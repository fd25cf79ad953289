/** Runs the commands of `docs/batch-files.md` with the files that its programs write. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sluiceWriting } from "./fixtures/cli.ts";
import { blocks, read, run, write } from "./fixtures/documented_programs.ts";
import { readLimits } from "../src/corpus/split/limit_file.ts";
import { PriceTable } from "../src/corpus/estimate/prices.ts";

const PAGE = "docs/batch-files.md";
const text = read(PAGE);
const folder = mkdtempSync(join(tmpdir(), "sluice-batch-files-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const COMMAND = /^\$ sluice (.*)\n/;
const SILENT = / > \/dev\/null$/;

describe("the commands of the page on batch files", () => {
  before(() => {
    const [batch, train] = blocks(text, "ts").map((code, i) => {
      const program = { path: PAGE, code };
      return run(write(program, folder, `program${i}.ts`), program);
    });
    writeFileSync(join(folder, "batch.jsonl"), batch!);
    writeFileSync(join(folder, "train.jsonl"), train!);
  });

  const shown = blocks(text, "").filter((block) => COMMAND.test(block));

  it("are there", () => assert.ok(shown.length >= 4));

  for (const block of shown) {
    const command = COMMAND.exec(block)![1]!;
    it(`print what it says: ${command}`, async () => {
      const args = command.replace(SILENT, "").split(" ");
      const { stdout, stderr } = await sluiceWriting(args, "", folder);
      // The age of prices is another one each day.
      const notes = stderr.replace(/^sluice: prices are of .* days old.*\n/m, "");
      const printed = (SILENT.test(command) ? "" : stdout) + notes;
      assert.equal(printed, block.replace(COMMAND, ""));
    });
  }

  it("take the files of prices and of limits that it shows", () => {
    const files = blocks(text, "").filter((block) => block.startsWith("{"));
    assert.equal(files.length, 2);
    assert.equal(PriceTable.read(files[0]!).find("openai/gpt-4o-mini")!.training, 3);
    assert.deepEqual(readLimits(files[1]!, "").limits.length, 3);
  });
});
