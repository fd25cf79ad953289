/** Checks of a corpus and reading of single documents, by the library and by `sluice inspect`. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type CorpusOptions,
  type CorpusProblem,
  type FormatName,
  inspectCorpus,
  readDocument,
  tokenizeCorpus,
} from "../src/corpus/mod.ts";
import { FORMAT_NAMES } from "../src/corpus/formats/mod.ts";
import { Tokenizer } from "../src/tokenizer/mod.ts";
import { sluice } from "./fixtures/cli.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-inspect-"));
after(() => fs.rmSync(folder, { recursive: true }));

const TEXTS = Array.from({ length: 60 }, (_, n) => `Text ${n}, größer 漢字 `.repeat(n % 5));
const INPUT = path.join(folder, "in.jsonl");
const SHARDS = 3;

before(() => {
  const lines = TEXTS.map((text) => JSON.stringify({ text }));
  lines.splice(56, 0, "{torn", "");
  fs.writeFileSync(INPUT, lines.join("\n"));
});

/** Corpora that were made once, by format and options. */
const made = new Map<string, string>();
let copies = 0;

/** A copy of a corpus of three shards, with a bad line in the last. */
async function corpus(format: FormatName = "bin", options: CorpusOptions = {}): Promise<string> {
  const key = JSON.stringify([format, options]);
  let original = made.get(key);
  if (original === undefined) {
    original = path.join(folder, `corpus-${made.size}`);
    made.set(key, original);
    const unitBytes = Math.ceil(fs.statSync(INPUT).size / SHARDS);
    const given = { model: "gpt-5", format, unitBytes, threads: 1, ...options };
    await tokenizeCorpus([INPUT], original, given);
  }
  const copy = path.join(folder, `copy-${copies++}`);
  fs.cpSync(original, copy, { recursive: true });
  return copy;
}

function decode(ids: Uint16Array | Uint32Array): string {
  using tokenizer = new Tokenizer("o200k_base");
  return tokenizer.decode(Uint32Array.from(ids));
}

describe("a corpus without faults", () => {
  for (const format of FORMAT_NAMES) {
    test(`${format}: is complete, and its documents are the texts`, async () => {
      const out = await corpus(format);
      let [total, read] = [0, 0];
      const inspection = await inspectCorpus(out, {
        onStart: (bytes) => total += bytes,
        onRead: (bytes) => read += bytes,
      });
      assert.deepEqual(inspection.problems, []);
      const { isComplete, committed, documents, empty, bad, blank, lines, tree } = inspection;
      assert.deepEqual(
        { isComplete, committed, documents, empty, bad, blank, lines },
        { isComplete: true, committed: 3, documents: 60, empty: 12, bad: 1, blank: 1, lines: 62 },
      );
      assert.equal(JSON.parse(fs.readFileSync(`${out}/manifest.json`, "utf8")).tree, tree);
      assert.ok(total > 0);
      assert.equal(read, total);
      for (const [n, text] of TEXTS.entries()) {
        assert.equal(decode((await readDocument(out, n)).text), text);
      }
      await assert.rejects(readDocument(out, 60), {
        name: "RangeError",
        message: `there is no document 60: ${out} has 60, from 0`,
      });
    });
  }

  test("rows are numbered over all shards, and padding is in the last of each", async () => {
    const out = await corpus("npy", { pack: 50, pad: 7 });
    const { problems, tokens, isComplete } = await inspectCorpus(out);
    assert.deepEqual(problems, []);
    assert.ok(isComplete);
    const all: number[] = [];
    for (let row = 0;; row++) {
      const found = await readDocument(out, row).catch((error) => {
        assert.match((error as Error).message, /^there is no row/);
      });
      if (found === undefined) break;
      assert.equal(found.ids.length, 50);
      all.push(...found.ids);
    }
    assert.ok(all.length > tokens && all.length < tokens + 50 * SHARDS);
    assert.equal(all.filter((id) => id === 199_999).length, TEXTS.length);
  });

  test("a shard is inspected alone", async () => {
    const out = await corpus();
    fs.rmSync(`${out}/shard-00000-of-00003.bin`);
    const { problems, inspected, committed, tree } = await inspectCorpus(out, { unit: 1 });
    assert.deepEqual({ problems, inspected, committed, tree }, {
      problems: [],
      inspected: 1,
      committed: 1,
      tree: undefined,
    });
    const { text, unit, index } = await readDocument(out, 0, 1);
    const first = TEXTS.indexOf(decode(text));
    assert.ok(first > 0 && unit === 1 && index === 0);
    await assert.rejects(inspectCorpus(out, { unit: 3 }), {
      name: "RangeError",
      message: "there is no shard 3: there are 3, from 0",
    });
  });
});

/** What is done to a corpus, and the problems that follow. */
interface Fault {
  readonly name: string;
  readonly damage: (out: string) => void;
  readonly problems: readonly (readonly [file: string, message: RegExp])[];
}

const NAME = "shard-00001-of-00003";

function edit(file: string, change: (text: string) => string): void {
  const text = fs.readFileSync(file, "utf8");
  const changed = change(text);
  assert.notEqual(changed, text);
  fs.writeFileSync(file, changed);
}

function flip(file: string): void {
  const bytes = fs.readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  fs.writeFileSync(file, bytes);
}

const FAULTS: readonly Fault[] = [
  {
    name: "a bit of the data",
    damage: (out) => flip(`${out}/${NAME}.bin`),
    problems: [[`${NAME}.bin`, /^has the SHA-256 [0-9a-f]{64}, and its record says [0-9a-f]{64}$/]],
  },
  {
    name: "a bit of the index",
    damage: (out) => flip(`${out}/${NAME}.idx`),
    problems: [[`${NAME}.idx`, /^has the SHA-256/]],
  },
  {
    name: "a tail of the data, and the index",
    damage: (out) => {
      fs.truncateSync(`${out}/${NAME}.bin`, 8);
      fs.rmSync(`${out}/${NAME}.idx`);
    },
    problems: [
      [`${NAME}.bin`, /^has 8 bytes, and its record says \d+$/],
      [`${NAME}.idx`, /^is missing$/],
    ],
  },
  {
    name: "a line of the quarantine",
    damage: (out) => flip(`${out}/bad/shard-00002-of-00003.jsonl`),
    problems: [["bad/shard-00002-of-00003.jsonl", /^has the SHA-256/]],
  },
  {
    name: "a record that is no record",
    damage: (out) => fs.writeFileSync(`${out}/${NAME}.json`, '{"files":[]}'),
    problems: [
      [`${NAME}.json`, /^is not the record of a shard$/],
      ["manifest.json", /^is there, but not all shards are committed$/],
    ],
  },
  {
    name: "a record of another unit",
    damage: (out) => edit(`${out}/${NAME}.json`, (text) => text.replace('"unit":1', '"unit":2')),
    problems: [[`${NAME}.json`, /^is the record of unit 2$/], [
      "manifest.json",
      /^has other shards/,
    ]],
  },
  {
    name: "sums that do not add up",
    damage: (out) =>
      edit(`${out}/${NAME}.json`, (text) => text.replace(/"lines":\d+/, '"lines":1000')),
    problems: [
      [
        `${NAME}.json`,
        /^tells 1000 lines, and \d+ documents \(\d+ empty\), 0 bad and 0 blank ones$/,
      ],
      ["manifest.json", /^has lines 62, and the records make it 10\d\d$/],
    ],
  },
  {
    name: "documents and ids that are not in the files",
    damage: (out) =>
      edit(
        `${out}/${NAME}.json`,
        (text) =>
          text.replace(/"(lines|documents|tokens)":(\d+)/g, (_, name, n) => `"${name}":${+n + 1}`),
      ),
    problems: [
      [`${NAME}.bin`, /^has \d+ documents or rows, and its record says \d+$/],
      [`${NAME}.bin`, /^has \d+ ids, and its record says \d+$/],
      ["manifest.json", /^has lines 62, and the records make it 63$/],
    ],
  },
  {
    name: "files that the plan does not have",
    damage: (out) => edit(`${out}/${NAME}.json`, (text) => text.replace(".idx", ".old")),
    problems: [
      [
        `${NAME}.json`,
        new RegExp(`^names ${NAME}.bin, ${NAME}.old and not ${NAME}.bin, ${NAME}.idx$`),
      ],
      ["manifest.json", /^has tree/],
    ],
  },
  {
    name: "a sum of the manifest",
    damage: (out) => edit(`${out}/manifest.json`, (text) => text.replace('"bad":1', '"bad":0')),
    problems: [["manifest.json", /^has bad 0, and the records make it 1$/]],
  },
  {
    name: "a manifest that is not JSON",
    damage: (out) => fs.truncateSync(`${out}/manifest.json`, 20),
    problems: [["manifest.json", /^is not JSON$/]],
  },
  {
    name: "a shard of another plan",
    damage: (out) => fs.writeFileSync(`${out}/shard-00001-of-00009.bin`, ""),
    problems: [["shard-00001-of-00009.bin", /^is not of this plan, which has 3 shards$/]],
  },
  {
    name: "a vocabulary that is not ours",
    damage: (out) => edit(`${out}/plan.json`, (text) => text.replace(/("vocabulary":")../, "$1zz")),
    problems: [["plan.json", /^has another vocabulary of o200k_base/]],
  },
];

describe("a fault is named with its file", () => {
  for (const { name, damage, problems } of FAULTS) {
    test(name, async () => {
      const out = await corpus();
      damage(out);
      const found = (await inspectCorpus(out)).problems;
      assert.deepEqual(
        found.map(({ file }: CorpusProblem) => file),
        problems.map(([file]) => file),
      );
      for (const [i, { message }] of found.entries()) assert.match(message, problems[i]![1]);
    });
  }

  test("a plan of a format that is not known", async () => {
    const out = await corpus();
    edit(`${out}/plan.json`, (text) => text.replace('"format":"bin"', '"format":"zarr"'));
    await assert.rejects(inspectCorpus(out), { code: "SLUICE_CORPUS_DAMAGED", message: /"zarr"/ });
  });
});

describe("a corpus that is not complete", () => {
  test("tells what is there, and finds the documents before the gap", async () => {
    const out = await corpus();
    fs.rmSync(`${out}/manifest.json`);
    fs.rmSync(`${out}/${NAME}.json`);
    const temporary = `.${NAME}.1-0123456789abcdef0123.tmp.bin`;
    fs.writeFileSync(path.join(out, temporary), "");
    fs.writeFileSync(path.join(out, "notes.txt"), "mine");
    const { isComplete, committed, problems, unfinished, tree } = await inspectCorpus(out);
    assert.deepEqual({ isComplete, committed, problems, unfinished, tree }, {
      isComplete: false,
      committed: 2,
      problems: [],
      unfinished: [temporary, `${NAME}.bin`, `${NAME}.idx`],
      tree: undefined,
    });
    assert.equal(decode((await readDocument(out, 1)).text), TEXTS[1]);
    await assert.rejects(readDocument(out, 59), {
      code: "SLUICE_CORPUS_INCOMPLETE",
      message: new RegExp(`${NAME} is missing or damaged, and document 59 is counted over it`),
    });
    const last = JSON.parse(fs.readFileSync(`${out}/shard-00002-of-00003.json`, "utf8"));
    const { text } = await readDocument(out, last.documents - 1, 2);
    assert.equal(decode(text), TEXTS.at(-1));
  });
});

describe("sluice inspect", () => {
  test("prints what a corpus is", async () => {
    const out = await corpus();
    const { code, stdout, stderr } = await sluice(["inspect", out]);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    const { tree } = await inspectCorpus(out);
    assert.deepEqual(stdout.replace(/\d+ KB|\d+\.\d KB/, "N KB").split("\n"), [
      "encoding   o200k_base, u32, end token 199999 appended",
      "format     bin",
      "shards     3 of 3",
      "documents  60, 12 empty",
      "lines      62, 1 bad, 1 blank",
      stdout.split("\n")[5],
      "files      7, N KB",
      `tree       ${tree}`,
      "Everything is as it was written.",
      "",
    ]);
    assert.match(stdout.split("\n")[5]!, /^tokens {5}[\d,]+, greatest id 199999$/);
  });

  test("prints a document as text, as ids, and as JSON", async () => {
    const out = await corpus();
    const text = await sluice(["inspect", out, "42"]);
    assert.deepEqual([text.code, text.stdout], [0, TEXTS[42]]);
    const json = await sluice(["inspect", out, "42", "--json"]);
    const { ids } = await readDocument(out, 42);
    const { index, ...rest } = JSON.parse(json.stdout);
    assert.deepEqual(rest, { document: 42, shard: 2, ids: [...ids], text: TEXTS[42] });
    const only = await sluice(["inspect", out, String(index), "--shard", "2", "--ids"]);
    assert.equal(only.stdout, `[${ids.join()}]\n`);
  });

  test("fails with the names of what is wrong", async () => {
    const out = await corpus();
    flip(`${out}/${NAME}.bin`);
    fs.rmSync(`${out}/shard-00002-of-00003.json`);
    fs.rmSync(`${out}/manifest.json`);
    const { code, stderr } = await sluice(["inspect", out]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^sluice: 3 files are of unfinished shards: .*$`, "m"));
    assert.match(stderr, new RegExp(`^sluice: ${out}/${NAME}.bin has the SHA-256`, "m"));
    assert.match(
      stderr,
      new RegExp(`^sluice: ${out} is not complete: 1 of 3 shards are missing$`, "m"),
    );
    const json = await sluice(["inspect", out, "--json"]);
    assert.equal(json.code, 1);
    const { problems, committed, isComplete, format } = JSON.parse(json.stdout);
    assert.deepEqual([problems.length, committed, isComplete, format], [1, 2, false, "bin"]);
  });

  test("refuses a folder without a plan, and a document beyond the last", async () => {
    const none = await sluice(["inspect", folder]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /has no plan\.json: it is not a corpus/);
    const out = await corpus();
    const beyond = await sluice(["inspect", out, "60"]);
    assert.equal(beyond.code, 2);
    assert.match(beyond.stderr, /there is no document 60/);
    const ids = await sluice(["inspect", out, "--ids"]);
    assert.equal(ids.code, 2);
  });
});
