/**
 * Readers of others read the files of `sluice tokenize`: numpy, pyarrow and a reader of Megatron's format by its
 * description. The ids are those of tiktoken for Python.
 *
 * @module
 */
// cspell:ignore pyarrow llmc
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { NO_PYTHON, python } from "../support/python.ts";
import { makeCorpus } from "./generator.ts";
import { run } from "./program.ts";

const READERS = readFileSync(new URL("readers.py", import.meta.url), "utf8");

const folder = mkdtempSync(join(tmpdir(), "sluice-corpus-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What each format is read with. */
const FORMATS = ["bin", "megatron", "npy", "llmc", "arrow", "jsonl"] as const;
const ENCODINGS = ["o200k_base", "r50k_base"] as const;

describe("what others read", { skip: NO_PYTHON }, () => {
  before(() => {
    const { texts } = makeCorpus(folder, 11, 200_000);
    // tiktoken replaces unpaired surrogates too, but JSON of Python would not take them from UTF-8.
    const all = texts.map((text) => text.toWellFormed());
    writeFileSync(join(folder, "texts.json"), JSON.stringify(all));
  });

  for (const encoding of ENCODINGS) {
    it(`is what tiktoken encodes, in every format, with ${encoding}`, {
      timeout: 60_000,
    }, async () => {
      await Promise.all(FORMATS.map(async (format) => {
        const { code, stderr } = await run(folder, [
          ...[
            "tokenize",
            "in",
            "--out",
            `${encoding} ${format}`,
            "--format",
            format,
          ],
          ...["--encoding", encoding, "--unit", "40KB", "--threads", "1", "--quiet"],
        ]);
        assert.equal(code, 1, stderr);
      }));
      const read = await python(READERS, folder, encoding, ...FORMATS);
      assert.equal(read, FORMATS.map((format) => `${format} ok\n`).join(""));
    });
  }
});
