import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, it } from "node:test";
import {
  type CorpusEvent,
  finishCorpus,
  planCorpus,
  tokenizeCorpus,
  type TokenizeCorpusOptions,
  tokenizeUnit,
} from "../src/corpus/mod.ts";
import { OtherThread } from "../src/corpus/run/threads.ts";
import { Tokenizer } from "../src/tokenizer/mod.ts";
import { Files } from "./fixtures/cli.ts";
import { documentsOf, filesOf, jsonLines, recordsOf } from "./support/corpus_folder.ts";

// Few units, because a unit is stored several times.
const BASE = { encoding: "o200k_base", unitBytes: 5000, threads: 1 } as const;

/** Lines of every kind that is bad, and blank ones. */
const BAD = [
  '{"text":',
  "[1]",
  '{"other":1}',
  '{"text":5}',
  '{"text":null}',
  "",
  "  ",
  '{"text":"x"} trailing',
];

/** Good lines with some of the others among them. */
function mixed(count: number): string {
  const good = jsonLines(count);
  return good.map((line, i) => i % 7 === 3 ? `${line}\n${BAD[i % BAD.length]}` : line).join("\n");
}

async function run(inputs: string[], out: string, options: Partial<TokenizeCorpusOptions> = {}) {
  return await tokenizeCorpus(inputs, out, { ...BASE, ...options });
}

function committed(events: CorpusEvent[]): string[] {
  return events.flatMap((event) => event.event === "committed" ? [event.name] : []);
}

describe("tokenizeCorpus", () => {
  it("writes what JSON.parse and encode give for each line, and loses none", async () => {
    using files = new Files({ "a.jsonl": mixed(300), "b.jsonl": `\uFEFF${mixed(40)}\r\n` });
    const out = files.path("out");
    const { totals, manifest } = await run([files.path("a.jsonl"), files.path("b.jsonl")], out);
    using tokenizer = new Tokenizer("o200k_base");
    const expected: number[][] = [];
    const bad: unknown[] = [];
    let [lines, blank] = [0, 0];
    for (const name of ["a.jsonl", "b.jsonl"]) {
      const whole = fs.readFileSync(files.path(name), "utf8");
      const text = whole.replace(/^\uFEFF/, "");
      let byte = text.length === whole.length ? 0 : 3;
      const all = text.replace(/\n$/, "").split("\n");
      for (const [i, line] of all.entries()) {
        lines++;
        const document = read(line);
        if (document === undefined) blank++;
        else if (typeof document === "string") {
          expected.push([...tokenizer.encode(document), 199999]);
        } else bad.push({ file: files.path(name), line: i + 1, byte, ...document, raw: line });
        byte += new TextEncoder().encode(line).length + 1;
      }
    }
    assert.deepEqual(documentsOf(out), expected);
    assert.deepEqual(recordsOf(out), bad);
    assert.ok(bad.length > 30 && blank > 5);
    const tokens = expected.flat();
    const { inputBytes: _, ...counts } = totals;
    assert.deepEqual(counts, {
      lines,
      documents: expected.length,
      empty: expected.filter(({ length }) => length === 1).length,
      bad: bad.length,
      blank,
      tokens: tokens.length,
      maxId: Math.max(...tokens),
    });
    assert.equal(manifest?.documents, expected.length);
  });

  it("writes the same with any number of threads, and from any number of shares", async () => {
    using files = new Files({ "a.jsonl": mixed(200), "b.jsonl": mixed(30) });
    const inputs = [files.path("a.jsonl"), files.path("b.jsonl")];
    await run(inputs, files.path("one"));
    const expected = filesOf(files.path("one"));
    assert.ok(expected.size > 15);
    for (const threads of [2, 7]) {
      await run(inputs.toReversed(), files.path(`threads${threads}`), { threads });
      assert.deepEqual(filesOf(files.path(`threads${threads}`)), expected);
    }
    const shared = files.path("shared");
    for (const index of [2, 0, 1]) {
      const { manifest } = await run(inputs, shared, { shard: `${index}/3` });
      assert.equal(manifest === undefined, index !== 1);
    }
    assert.deepEqual(filesOf(shared), expected);
  });

  it("goes on with the units that are not committed, and makes damaged ones again", async () => {
    using files = new Files({ "a.jsonl": mixed(150) });
    const out = files.path("out");
    await run([files.path("a.jsonl")], out);
    const expected = filesOf(out);
    const again = async (verify = false): Promise<string[]> => {
      const events: CorpusEvent[] = [];
      await run([files.path("a.jsonl")], out, { verify, onEvent: (event) => events.push(event) });
      assert.deepEqual(filesOf(out), expected);
      return committed(events).map((name) => name.slice(0, "shard-00000".length));
    };
    assert.deepEqual(await again(), []);
    const [bin, record] = [...expected.keys()].filter((name) => name.startsWith("shard-00002"));
    fs.rmSync(`${out}/${record}`);
    fs.rmSync(`${out}/manifest.json`);
    fs.writeFileSync(`${out}/.shard-00002.1-0123456789abcdef0123.tmp.bin`, "of a foreign machine");
    assert.deepEqual(await again(), ["shard-00002"]);
    fs.truncateSync(`${out}/${bin}`, 4);
    assert.deepEqual(await again(), ["shard-00002"]);
    // A change that keeps the length is found by the sums only.
    fs.writeFileSync(`${out}/${bin}`, "x".repeat(fs.statSync(`${out}/${bin}`).size));
    assert.deepEqual(await again(true), ["shard-00002"]);
  });

  it("fails the unit of an input that changes during the run, by name, and does the others", async () => {
    using files = new Files({ "a.jsonl": mixed(60), "b.jsonl": mixed(60), "c.jsonl": mixed(10) });
    const inputs = ["a.jsonl", "b.jsonl", "c.jsonl"].map((name) => files.path(name));
    const { failed, manifest } = await run(inputs, files.path("out"), {
      unitBytes: 50_000,
      onEvent: ({ event }) => {
        if (event === "started") fs.appendFileSync(files.path("b.jsonl"), "\n");
      },
    });
    // All are joined to one unit here.
    assert.equal(failed.length, 1);
    assert.match(failed[0]!.message, /b\.jsonl: changed since the plan was made/);
    assert.equal(manifest, undefined);
    const apart = await run(inputs, files.path("apart"), {
      unitBytes: 2000,
      onEvent: ({ event }) => {
        if (event === "started") fs.rmSync(files.path("b.jsonl"));
      },
    });
    assert.ok(apart.failed.length > 1 && apart.totals.documents > 50);
    for (const { message } of apart.failed) assert.match(message, /b\.jsonl/);
  });

  it("ends at a number of bad lines, and leaves their unit for another run", async () => {
    using files = new Files({ "a.jsonl": mixed(200) });
    const out = files.path("out");
    const unitBytes = 2000;
    for (const threads of [1, 2]) {
      const options = { unitBytes, threads, maxBadLines: 0 };
      const { isOverBad, totals, manifest } = await run([files.path("a.jsonl")], out, options);
      assert.deepEqual([isOverBad, totals.bad, manifest], [true, 0, undefined]);
    }
    const few = await run([files.path("a.jsonl")], out, { unitBytes, maxBadLines: 5 });
    assert.ok(few.isOverBad && few.totals.bad <= 5 && few.totals.documents > 0);
    const all = await run([files.path("a.jsonl")], out, { unitBytes, maxBadLines: 1000 });
    assert.ok(!all.isOverBad && all.totals.bad > 5 && all.manifest);
  });

  for (const threads of [1, 2]) {
    it(`leaves committed units and nothing else when it is aborted, ${threads} threads`, async () => {
      using files = new Files({ "a.jsonl": mixed(500) });
      const out = files.path("out");
      const controller = new AbortController();
      const reason = new Error("enough");
      const aborted = run([files.path("a.jsonl")], out, {
        threads,
        signal: controller.signal,
        onEvent: ({ event }) => {
          if (event === "committed") controller.abort(reason);
        },
      });
      await assert.rejects(aborted, (error) => error === reason);
      const left = [...filesOf(out).keys()];
      assert.ok(left.some((name) => name.endsWith(".json")) && !left.includes("manifest.json"));
      assert.deepEqual(fs.readdirSync(out).filter((name) => /tmp|locks/.test(name)), []);
      await run([files.path("a.jsonl")], out, { threads });
      await run([files.path("a.jsonl")], files.path("whole"));
      assert.deepEqual(filesOf(out), filesOf(files.path("whole")));
    });
  }

  it("ends at once if its folder cannot be written", async () => {
    using files = new Files({ "a.jsonl": mixed(100) });
    for (const threads of [1, 2]) {
      const out = files.path(`out${threads}`);
      const broken = run([files.path("a.jsonl")], out, {
        threads,
        unitBytes: 2000,
        onEvent: ({ event }) => {
          if (event === "started") fs.rmSync(out, { recursive: true });
        },
      });
      await assert.rejects(broken, { name: "OutputError", code: "ENOENT" });
    }
  });

  it("fails the unit of a Worker that ends, and does the next one in another", async () => {
    using files = new Files({ "a.jsonl": mixed(20) });
    const out = files.path("out");
    const plan = await planCorpus([files.path("a.jsonl")], out, { encoding: "o200k_base" });
    const stop = new SharedArrayBuffer(4);
    const thread = new OtherThread({ out, plan, stop, stopsAtBad: false });
    const watch = { onProgress: () => {}, onBadLine: () => {} };
    const ended = thread.do(0, watch);
    thread.kill();
    const outcome = await ended;
    assert.ok("failure" in outcome && outcome.failure.kind === "unit");
    assert.match(outcome.failure.message, /Worker died/);
    const next = await thread.do(0, watch);
    thread.close();
    assert.ok("commit" in next && next.commit.documents === 20);
  });

  it("stores identifiers, and other end tokens", async () => {
    const text = '{"text":"Hello, world!","meta":{"n":7}}\n{"text":"","meta":{}}\n';
    using files = new Files({ "a.jsonl": text });
    await run([files.path("a.jsonl")], files.path("out"), {
      format: "jsonl",
      idField: "meta.n",
      eos: "prepend",
    });
    assert.equal(
      fs.readFileSync(files.path("out/shard-00000-of-00001.jsonl"), "utf8"),
      '{"ids":[199999,13225,11,2375,0],"id":"7"}\n{"ids":[199999],"id":null}\n',
    );
  });

  it("stores identifiers that JavaScript has no number for as they are written", async () => {
    const ids: [string, unknown][] = [
      ["12345678901234567890", "12345678901234567890"],
      ["-9007199254740993", "-9007199254740993"],
      ["9007199254740991", "9007199254740991"],
      ["1.10", "1.10"],
      ["1e999", "1e999"],
      ["7", "7"],
      ["-0", "0"],
      ["true", "true"],
      ["null", null],
      ['{"a":[12345678901234567891, "b", 1]}', '{"a":[12345678901234567891,"b",1]}'],
      ['"12345678901234567890"', "12345678901234567890"],
    ];
    const text = ids.map(([id]) => `{"text":"Hello","id":5,"x":[0.1],"id":${id}}\n`).join("");
    using files = new Files({ "a.jsonl": text });
    await run([files.path("a.jsonl")], files.path("out"), { format: "jsonl", idField: "id" });
    const lines = fs.readFileSync(files.path("out/shard-00000-of-00001.jsonl"), "utf8").trimEnd();
    assert.deepEqual(
      lines.split("\n").map((line) => JSON.parse(line).id),
      ids.map(([, id]) => id),
    );
  });

  it("makes a document of each text file, and keeps those apart that are not UTF-8", async () => {
    // Longer than a piece, so that ids are written before the end is seen.
    const long = "A line of some words, which are many.\n".repeat(150_000);
    using files = new Files({
      "a.txt": "Hello, world!",
      "b.md": new Uint8Array([...new TextEncoder().encode(long), 0xff]),
      "c.txt": long,
      "d.txt": "",
    });
    const out = files.path("out");
    const { totals } = await run([files.directory], out, { unitBytes: 1e9 });
    using tokenizer = new Tokenizer("o200k_base");
    const expected = ["Hello, world!", long, ""].map((text) => [...tokenizer.encode(text), 199999]);
    assert.deepEqual(documentsOf(out), expected);
    assert.deepEqual(recordsOf(out), [
      { file: files.path("b.md"), line: 1, byte: 0, reason: "not-utf8" },
    ]);
    assert.deepEqual([totals.lines, totals.documents, totals.bad, totals.empty], [4, 3, 1, 1]);
  });
});

describe("tokenizeUnit and finishCorpus", () => {
  it("do not begin a unit again for a short text file that is bad", async () => {
    const bad = new Uint8Array([0x64, 0xe9, 0x6a, 0xe0]);
    const texts = Array.from({ length: 8 }, (_, i) => i % 2 === 0 ? `text ${i}` : bad);
    using files = new Files(Object.fromEntries(texts.map((text, i) => [`${i}.txt`, text])));
    for (const eos of ["append", "prepend", "none"] as const) {
      const out = files.path(`../${eos}-${files.directory.split("/").at(-1)}`);
      const plan = await planCorpus([files.directory], out, { encoding: "o200k_base", eos });
      assert.equal(plan.units.length, 1);
      const seen: number[] = [];
      const commit = await tokenizeUnit(out, 0, {
        onProgress: ({ lines, inputBytes }) => void seen.push(lines, inputBytes),
      });
      const [lines, bytes] = [0, 1].map((at) => seen.filter((_, i) => i % 2 === at));
      for (const numbers of [lines!, bytes!]) {
        assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b), eos);
      }
      const { documents, bad: refused, inputBytes, tokens } = commit;
      assert.deepEqual([documents, refused, inputBytes], [4, 4, 4 * 6 + 4 * 4], eos);
      using tokenizer = new Tokenizer("o200k_base");
      const ends = eos === "none" ? 0 : 1;
      const good = texts.filter((text) => typeof text === "string");
      const sum = good.reduce((all, text) => all + tokenizer.count(text) + ends, 0);
      assert.deepEqual([tokens, recordsOf(out).length], [sum, 4], eos);
      fs.rmSync(out, { recursive: true });
    }
  });

  it("do a corpus unit by unit, twice at the same time if need be", async () => {
    using files = new Files({ "a.jsonl": mixed(100) });
    const out = files.path("out");
    const plan = await planCorpus([files.path("a.jsonl")], out, {
      encoding: "o200k_base",
      unitBytes: 3000,
    });
    assert.ok(plan.units.length > 1);
    assert.throws(() => finishCorpus(out), {
      code: "SLUICE_CORPUS_INCOMPLETE",
      message: /of \d+ shards are missing: shard-00000-of/,
    });
    for (const unit of plan.units.keys()) {
      const both = await Promise.all([tokenizeUnit(out, unit), tokenizeUnit(out, unit)]);
      assert.deepEqual(both[0], both[1]);
      assert.deepEqual(await tokenizeUnit(out, unit), both[0]);
    }
    const { tree } = finishCorpus(out);
    await run([files.path("a.jsonl")], files.path("whole"), { unitBytes: 3000 });
    assert.deepEqual(filesOf(out), filesOf(files.path("whole")));
    assert.match(tree, /^[0-9a-f]{64}$/);
    await assert.rejects(tokenizeUnit(out, plan.units.length), RangeError);
    await assert.rejects(tokenizeUnit(files.path("none"), 0), { code: "SLUICE_CORPUS_NO_PLAN" });
  });
});

/** What a line is: a text, why not, or nothing if it is blank. */
function read(line: string): string | { reason: string } | undefined {
  if (line.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { reason: "not-json" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { reason: "not-object" };
  }
  if (!("text" in value)) return { reason: "no-field" };
  return typeof value.text === "string" ? value.text : { reason: "not-string" };
}
