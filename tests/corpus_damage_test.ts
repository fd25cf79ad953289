import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, it } from "node:test";
import { inspectCorpus, readDocument, tokenizeCorpus } from "../src/corpus/mod.ts";
import { Files } from "./fixtures/cli.ts";
import { filesOf } from "./support/corpus_folder.ts";

const RECORD = "shard-00000-of-00001.json";

async function corpus(files: Files): Promise<string> {
  const out = files.path("out");
  await run(files, out);
  return out;
}

async function run(files: Files, out: string): Promise<void> {
  await tokenizeCorpus([files.path("in.jsonl")], out, { encoding: "o200k_base", threads: 1 });
}

/** The object in a file with other properties. */
function change(path: string, properties: object): void {
  const value: object = JSON.parse(fs.readFileSync(path, "utf8"));
  fs.writeFileSync(path, JSON.stringify({ ...value, ...properties }));
}

describe("a damaged record", () => {
  it("is none, whatever is in it", async () => {
    using files = new Files({ "in.jsonl": '{"text":"Hello, world!"}\n' });
    const out = await corpus(files);
    const before = filesOf(out);
    const file = { name: "shard-00000-of-00001.bin", bytes: "20", sha256: "" };
    for (
      const properties of [{ files: [null] }, { files: [file] }, { tokens: "5" }, { lines: -1 }]
    ) {
      change(`${out}/${RECORD}`, properties);
      const { committed, problems } = await inspectCorpus(out);
      assert.equal(committed, 0);
      assert.match(problems[0]!.message, /is not the record of a shard/);
      await assert.rejects(readDocument(out, 0), { code: "SLUICE_CORPUS_INCOMPLETE" });
      await run(files, out);
      assert.deepEqual(filesOf(out), before);
    }
  });
});

describe("a damaged plan", () => {
  it("is refused by name", async () => {
    using files = new Files({ "in.jsonl": '{"text":"Hello, world!"}\n' });
    const out = await corpus(files);
    const plan = fs.readFileSync(`${out}/plan.json`, "utf8");
    const { options } = JSON.parse(plan);
    const damages = [
      { options: { ...options, eos: undefined } },
      { options: { ...options, eos: { id: "1", at: "append" } } },
      { options: { ...options, eos: { id: 1, at: "middle" } } },
      { options: { ...options, pack: 5 } },
      { options: { ...options, pack: { length: 0, pad: null } } },
      { options: { ...options, pack: { length: 8, pad: "0" } } },
      { options: { ...options, dtype: "u64" } },
      { options: 7 },
      { units: [null] },
      { units: [{ parts: [], bytes: "1" }] },
      { files: [{}] },
    ];
    for (const damage of damages) {
      fs.writeFileSync(`${out}/plan.json`, plan);
      change(`${out}/plan.json`, damage);
      const refused = { code: "SLUICE_CORPUS_DAMAGED" };
      await assert.rejects(inspectCorpus(out), refused, JSON.stringify(damage));
      await assert.rejects(run(files, out), refused, JSON.stringify(damage));
    }
  });
});
