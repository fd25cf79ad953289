import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, it } from "node:test";
import { codeOf } from "../src/corpus/durable.ts";
import { Lock } from "../src/corpus/lock.ts";
import { planCorpus, tokenizeCorpus, tokenizeUnit } from "../src/corpus/mod.ts";
import { planOptions } from "../src/corpus/plan/options.ts";
import { Files, sluiceWriting } from "./fixtures/cli.ts";
import { filesOf, jsonLines, recordsOf } from "./support/corpus_folder.ts";

const LINES = `${jsonLines(80).join("\n")}\n`;
const BASE = { encoding: "o200k_base", unitBytes: 1000, threads: 1 } as const;

describe("standard input", () => {
  it("can have a byte order mark and a bad line", async () => {
    using files = new Files({});
    const args = ["tokenize", "-o", "out", "-e", "o200k_base"];
    const { code, stderr } = await sluiceWriting(
      args,
      '\uFEFF{"text":"a"}\n{"text":\n',
      files.directory,
    );
    assert.equal(code, 1, stderr);
    assert.deepEqual(recordsOf(files.path("out")), [
      { file: "-", line: 2, byte: 16, reason: "not-json", raw: '{"text":' },
    ]);
  });

  it("is not divided among shares, which would read other bytes each", async () => {
    using files = new Files({});
    await assert.rejects(tokenizeCorpus(["-"], files.path("out"), { ...BASE, shard: "1/2" }), {
      name: "RangeError",
      message: /standard input/,
    });
    assert.ok(!fs.existsSync(files.path("out")));
  });

  it("is not read because a list of inputs is empty", async () => {
    using files = new Files({});
    const out = files.path("out");
    await assert.rejects(planCorpus([], out, { encoding: "o200k_base" }), {
      name: "RangeError",
      message: /inputs/,
    });
    for (const wrong of ["in.jsonl", [1], undefined]) {
      await assert.rejects(planCorpus(wrong as never, out, { encoding: "o200k_base" }), {
        name: "TypeError",
        message: /inputs must be/,
      });
    }
  });
});

describe("a run that is stopped", () => {
  it("while it waits for a lock ends with the reason of its signal", async () => {
    using files = new Files({ "locks/0-of-1.json": '{"pid":1,"host":"elsewhere","process":"1"}' });
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = Lock.take(files.directory, { index: 0, count: 1 }, {
      signal: controller.signal,
      onWait: () => setTimeout(() => controller.abort(reason), 10),
    });
    await assert.rejects(waiting, (error) => error === reason);
  });

  it("before it has made damaged units again is not taken for complete", async () => {
    using files = new Files({ "a.jsonl": LINES });
    const out = files.path("out");
    const inputs = [files.path("a.jsonl")];
    await tokenizeCorpus(inputs, out, BASE);
    const expected = filesOf(out);
    const bin = [...expected.keys()].find((name) => /^shard-00002.*\.bin$/.test(name))!;
    fs.writeFileSync(`${out}/${bin}`, "x".repeat(expected.get(bin)!.length));
    const controller = new AbortController();
    const stopped = tokenizeCorpus(inputs, out, {
      ...BASE,
      verify: true,
      signal: controller.signal,
      onEvent: ({ event }) => event === "started" && controller.abort(new Error("enough")),
    });
    await assert.rejects(stopped, /enough/);
    assert.ok(!fs.existsSync(`${out}/manifest.json`));
    const { manifest } = await tokenizeCorpus(inputs, out, BASE);
    assert.ok(manifest);
    assert.deepEqual(filesOf(out), expected);
  });

  it("while it compares sums ends soon", async () => {
    using files = new Files({ "a.jsonl": LINES });
    const out = files.path("out");
    const inputs = [files.path("a.jsonl")];
    const { plan } = await tokenizeCorpus(inputs, out, BASE);
    for (const unit of plan.units.keys()) {
      const [bin] = fs.readdirSync(out).filter((name) =>
        name.startsWith(`shard-0000${unit}`) && name.endsWith(".bin")
      );
      fs.writeFileSync(`${out}/${bin}`, "x".repeat(fs.statSync(`${out}/${bin}`).size));
    }
    const controller = new AbortController();
    let notes = 0;
    const stopped = tokenizeCorpus(inputs, out, {
      ...BASE,
      verify: true,
      signal: controller.signal,
      onEvent: ({ event }) => {
        if (event !== "note") return;
        notes++;
        controller.abort(new Error("enough"));
      },
    });
    await assert.rejects(stopped, /enough/);
    assert.equal(notes, 1);
  });
});

describe("a listener that throws", () => {
  for (const threads of [1, 2]) {
    it(`ends the run with its error, ${threads} threads`, async () => {
      using files = new Files({ "a.jsonl": LINES });
      for (const name of ["progress", "committed"]) {
        const wrong = new Error("the disk of the log is full");
        const run = tokenizeCorpus([files.path("a.jsonl")], files.path(`${name}-${threads}`), {
          ...BASE,
          threads,
          onEvent: ({ event }) => {
            if (event === name) throw wrong;
          },
        });
        await assert.rejects(run, (error) => error === wrong);
      }
    });
  }
});

describe("several runs in one process", () => {
  it("do not delete what another one writes", async () => {
    using files = new Files({ "a.jsonl": LINES.repeat(20) });
    const inputs = [files.path("a.jsonl")];
    const out = files.path("out");
    const options = { ...BASE, unitBytes: 10_000 };
    const plan = await planCorpus(inputs, out, { encoding: "o200k_base", unitBytes: 10_000 });
    const results = await Promise.all([
      ...["0/2", "1/2"].map((shard) => tokenizeCorpus(inputs, out, { ...options, shard })),
      ...plan.units.keys().map((unit) => tokenizeUnit(out, unit)),
    ]);
    assert.ok(results.length > 2);
    await tokenizeCorpus(inputs, out, options);
    await tokenizeCorpus(inputs, files.path("alone"), options);
    assert.deepEqual(filesOf(out), filesOf(files.path("alone")));
    assert.deepEqual(fs.readdirSync(out).filter((name) => name.includes("tmp")), []);
  });
});

describe("many texts that are not UTF-8", () => {
  it("are passed over, and what was read before them is not read again", async () => {
    const texts = Array.from({ length: 30 }, (_, i) => [
      `in/${i + 10}.txt`,
      i % 3 === 0 ? new Uint8Array([0x41, 0xff]) : `Text ${i}.`,
    ]);
    using files = new Files(Object.fromEntries(texts));
    for (const eos of ["append", "prepend", "none"] as const) {
      const out = files.path(eos);
      await planCorpus([files.path("in")], out, { encoding: "o200k_base", eos });
      let most = 0;
      const commit = await tokenizeUnit(out, 0, {
        onProgress: ({ lines }) => {
          assert.ok(lines >= most, `${lines} lines after ${most}`);
          most = lines;
        },
      });
      const { lines, documents, bad, inputBytes } = commit;
      assert.deepEqual([lines, documents, bad], [30, 20, 10]);
      const sizes = texts.map(([, text]) => text!.length);
      assert.equal(inputBytes, sizes.reduce((a, b) => a + b));
    }
  });
});

describe("the plan of a corpus", () => {
  it("is not refused for the size of a file that is one part", async () => {
    using files = new Files({ "a.txt": "a".repeat(100_000) });
    const { units } = await planCorpus([files.path("a.txt")], files.path("out"), {
      encoding: "o200k_base",
      unitBytes: 1,
    });
    assert.equal(units.length, 1);
  });

  it("has only options that all its units can be done with", () => {
    const encoding = "o200k_base";
    assert.throws(() => planOptions({ encoding, pack: 2 ** 31 }), /pack .* not 2147483648/);
    assert.throws(
      () => planOptions({ encoding, format: "arrow", pack: 8, idField: "id" }),
      /idField "id": rows of pack/,
    );
  });
});

describe("codes of the system", () => {
  it("are known where the runtime tells only numbers", () => {
    for (
      const [number, code] of [[1, "EPERM"], [22, "EINVAL"], [31, "EMLINK"], [38, "ENOSYS"], [
        95,
        "ENOTSUP",
      ]] as const
    ) {
      assert.equal(codeOf(new Error(`Refused (os error ${number})`)), code);
    }
  });
});
