/**
 * Every line of a corpus with all that is odd in it becomes a document, is blank, or is in quarantine: ids, places and
 * reasons are those that the generator knows.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Tokenizer } from "../../mod.ts";
import { documentsOf, listOf, readRecord, treeOf } from "./folder.ts";
import { type Expected, makeCorpus } from "./generator.ts";
import { run } from "./program.ts";

interface Manifest {
  readonly lines: number;
  readonly documents: number;
  readonly bad: number;
  readonly blank: number;
  readonly tokens: number;
}

/** A record of quarantine. */
interface Bad {
  readonly file: string;
  readonly line: number;
  readonly byte: number;
  readonly reason: string;
  readonly raw?: string;
  readonly base64?: string;
}

const folder = mkdtempSync(join(tmpdir(), "sluice-corpus-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const expected: Expected = makeCorpus(folder, 7, 700_000);

async function tokenize(out: string, ...args: readonly string[]): Promise<string> {
  const all = [
    "tokenize",
    "in",
    "--out",
    out,
    "--unit",
    "50KB",
    "--encoding",
    "o200k_base",
    "--quiet",
    ...args,
  ];
  const { code, stderr } = await run(folder, all);
  assert.equal(code, 1, stderr);
  return join(folder, out);
}

describe("a corpus with every kind of line", () => {
  it("becomes documents, blank lines and quarantine, and nothing else", {
    timeout: 60_000,
  }, async () => {
    const out = await tokenize("out", "--threads", "2");
    const tokenizer = new Tokenizer("o200k_base");
    const [eos] = tokenizer.encode("<|endoftext|>", { special: "allow" });
    const documents = documentsOf(out, 4);
    assert.equal(documents.length, expected.texts.length);
    for (const [i, text] of expected.texts.entries()) {
      assert.deepEqual(documents[i], Uint32Array.of(...tokenizer.encode(text), eos!), `${i}`);
    }
    const bad = listOf(join(out, "bad")).flatMap((name) =>
      readFileSync(join(out, "bad", name), "utf8").trim().split("\n")
        .filter((line) => line !== "").map((line) => JSON.parse(line) as Bad)
    );
    assert.deepEqual(
      bad.map(({ file, line, byte, reason, raw, base64 }) => ({
        ...{ file, line, byte, reason },
        raw: Buffer.from(raw ?? base64!, raw === undefined ? "base64" : "utf8").toString("hex"),
      })),
      expected.bad.map(({ raw, ...place }) => ({
        ...place,
        raw: Buffer.from(raw).toString("hex"),
      })),
    );
    const manifest = readRecord<Manifest>(out, "manifest.json");
    assert.equal(manifest.documents, expected.texts.length);
    assert.equal(manifest.bad, expected.bad.length);
    assert.equal(manifest.blank, expected.blank);
    assert.equal(manifest.lines, manifest.documents + manifest.bad + manifest.blank);
    assert.equal(manifest.tokens, documents.reduce((sum, ids) => sum + ids.length, 0));
  });

  it("is the same in every byte for 1, 2 and 7 threads", { timeout: 60_000 }, async () => {
    const trees = await Promise.all(
      [1, 2, 7].map(async (threads) =>
        treeOf(await tokenize(`threads ${threads}`, "--threads", `${threads}`))
      ),
    );
    assert.equal(trees[1], trees[0]);
    assert.equal(trees[2], trees[0]);
  });
});
