import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import {
  type CorpusEvent,
  planCorpus,
  type StartedEvent,
  tokenizeCorpus,
} from "../src/corpus/mod.ts";
import { Lock } from "../src/corpus/lock.ts";
import { planOptions } from "../src/corpus/plan/options.ts";
import { VOCABULARIES } from "../src/corpus/plan/vocabularies.ts";
import { parseShard } from "../src/corpus/shards.ts";
import { ENCODINGS, Tokenizer } from "../src/tokenizer/mod.ts";
import { exit, Files } from "./fixtures/cli.ts";
import { filesOf, jsonLines } from "./support/corpus_folder.ts";

const LINES = `${jsonLines(60).join("\n")}\n`;
const PLAN = { encoding: "o200k_base", unitBytes: 3000 } as const;
const BASE = { ...PLAN, threads: 1 } as const;

function corpus(): Files {
  return new Files({ "in/b.jsonl": LINES, "in/a.jsonl": LINES, "in/\u{1F980}.jsonl": "{}\n" });
}

describe("the plan of a corpus", () => {
  it("depends on the files and the options alone", async () => {
    using files = corpus();
    const names = ["b.jsonl", "a.jsonl", "\u{1F980}.jsonl"].map((name) => files.path(`in/${name}`));
    const plan = await planCorpus(names, files.path("one"), PLAN);
    await planCorpus([...names.toReversed(), names[0]!], files.path("two"), PLAN);
    const text = fs.readFileSync(files.path("one/plan.json"), "utf8");
    assert.equal(fs.readFileSync(files.path("two/plan.json"), "utf8"), text);
    assert.deepEqual(JSON.parse(text), plan);
    assert.deepEqual(plan.files.map(({ path }) => path), [names[1], names[0], names[2]]);
    const sizes = [LINES, LINES, "{}\n"].map((text) => Buffer.byteLength(text));
    // Each byte is in one part, small parts are joined, and no unit is too large.
    const parts = plan.units.flatMap(({ parts }) => parts);
    for (const file of [0, 1, 2]) {
      const own = parts.filter((part) => part.file === file);
      assert.deepEqual(own.map(({ from }) => from), [0, ...own.slice(0, -1).map(({ to }) => to)]);
      assert.equal(own.at(-1)!.to, sizes[file]);
    }
    assert.ok(plan.units.length < parts.length);
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b);
    assert.equal(sum(plan.units.map(({ bytes }) => bytes)), sum(sizes));
    for (const { bytes } of plan.units) assert.ok(bytes <= 3000);
  });

  it("is another one if a file or an option is, and what differs is named", async () => {
    using files = corpus();
    const out = files.path("out");
    const inputs = [files.path("in/a.jsonl"), files.path("in/b.jsonl")];
    await tokenizeCorpus(inputs, out, BASE);
    const before = filesOf(out);
    const refused = (message: RegExp, names = inputs, options = {}) =>
      assert.rejects(tokenizeCorpus(names, out, { ...BASE, ...options }), {
        code: "SLUICE_CORPUS_OTHER_PLAN",
        message,
      });
    await refused(/another plan: encoding is "o200k_base" there and "cl100k_base" here\./, inputs, {
      encoding: "cl100k_base",
    });
    await refused(/unitBytes is 3000 there and 4000 here/, inputs, { unitBytes: 4000 });
    await refused(/b\.jsonl is only in it/, inputs.slice(0, 1));
    fs.appendFileSync(inputs[1]!, "\n");
    await refused(/b\.jsonl had \d+ bytes and has \d+/);
    assert.deepEqual(filesOf(out), before);
    const { manifest } = await tokenizeCorpus(inputs, out, { ...BASE, fresh: true });
    assert.equal(manifest?.blank, 1);
  });

  it("may have another input if nothing of it is done, such as a torn file that was repaired", async () => {
    const whole = gzipSync(LINES);
    using files = new Files({ "a.jsonl": LINES, "b.jsonl.gz": whole.subarray(0, 200) });
    const [out, other] = [files.path("out"), files.path("other")];
    const inputs = [files.path("a.jsonl"), files.path("b.jsonl.gz")];
    const torn = await tokenizeCorpus(inputs, out, BASE);
    assert.equal(torn.failed.length, 1);
    fs.writeFileSync(inputs[1]!, whole);
    const isRefused = { code: "SLUICE_CORPUS_OTHER_PLAN" };
    // Others may work by the old plan.
    await assert.rejects(tokenizeCorpus(inputs, out, { ...BASE, shard: "0/2" }), isRefused);
    await assert.rejects(planCorpus(inputs, out, PLAN), isRefused);
    const seen: CorpusEvent[] = [];
    const { manifest } = await tokenizeCorpus(inputs, out, {
      ...BASE,
      onEvent: (event) => seen.push(event),
    });
    assert.equal(manifest?.documents, 120);
    const started = seen.find(({ event }) => event === "started") as StartedEvent;
    assert.equal(started.committed, torn.plan.units.length - 1);
    const [note] = seen.flatMap((event) => event.event === "note" ? [event.message] : []);
    assert.match(note!, /^planned anew.*b\.jsonl\.gz had 200 bytes and has \d+$/);
    await tokenizeCorpus(inputs, other, BASE);
    assert.deepEqual(filesOf(out), filesOf(other));
    // All of it is done now, so it must stay.
    fs.writeFileSync(inputs[1]!, gzipSync("{}\n"));
    await assert.rejects(tokenizeCorpus(inputs, out, BASE), isRefused);
  });

  it("is not put where files of others are, and starting anew keeps them", async () => {
    using files = corpus();
    const out = files.path("out");
    fs.mkdirSync(out);
    fs.writeFileSync(`${out}/thesis.txt`, "mine");
    const inputs = [files.path("in/a.jsonl")];
    for (const fresh of [false, true]) {
      await assert.rejects(tokenizeCorpus(inputs, out, { ...BASE, fresh }), {
        code: "SLUICE_CORPUS_FOREIGN_FILES",
        message: /thesis\.txt/,
      });
    }
    assert.deepEqual(fs.readdirSync(out), ["thesis.txt"]);
    fs.rmSync(`${out}/thesis.txt`);
    await tokenizeCorpus(inputs, out, BASE);
    fs.writeFileSync(`${out}/thesis.txt`, "mine");
    fs.writeFileSync(`${out}/shard-notes.bin`, "mine");
    await planCorpus(inputs, out, { ...PLAN, unitBytes: 9000, fresh: true });
    assert.deepEqual(fs.readdirSync(out).sort(), ["plan.json", "shard-notes.bin", "thesis.txt"]);
  });

  it("has no more shards than their names have numbers", async () => {
    using files = new Files({ "in.jsonl": "{}\n".repeat(40_000) });
    const options = { ...PLAN, unitBytes: 1 };
    await assert.rejects(planCorpus([files.path("in.jsonl")], files.path("out"), options), {
      name: "RangeError",
      message: /unitBytes 1 makes more than 99999 shards/,
    });
    assert.ok(!fs.existsSync(files.path("out")));
  });

  it("does not read its own folder, and refuses what cannot be read", async () => {
    using files = corpus();
    const out = files.path("in/out");
    const first = await planCorpus([files.path("in")], out, PLAN);
    fs.writeFileSync(`${out}/more.jsonl`, LINES);
    assert.deepEqual(await planCorpus([files.path("in")], out, PLAN), first);
    await assert.rejects(planCorpus([`${out}/more.jsonl`], out, PLAN), /where the output goes/);
    await assert.rejects(planCorpus([files.path("in/c.jsonl")], files.path("o"), PLAN), /c\.jsonl/);
    assert.ok(!fs.existsSync(files.path("o")));
  });
});

describe("the options of a corpus", () => {
  it("choose a type that no id overflows", () => {
    for (const encoding of ENCODINGS) {
      const { size } = VOCABULARIES[encoding];
      const { dtype } = planOptions({ encoding });
      assert.equal(dtype, size <= 65_536 ? "u16" : "u32");
      if (dtype === "u16") continue;
      assert.throws(() => planOptions({ encoding, dtype: "u16" }), RangeError);
    }
  });

  it("are refused by name and value", () => {
    const encoding = "o200k_base";
    for (
      const [options, type, message] of [
        [{}, TypeError, /encoding or model/],
        [{ encoding, field: "" }, RangeError, /field/],
        [{ encoding, unitBytes: 0 }, RangeError, /unitBytes .* not 0/],
        [{ encoding, format: "parquet" }, RangeError, /format .* not "parquet"/],
        [{ encoding, idField: "id" }, RangeError, /idField "id": the format "bin"/],
        [{ encoding, pad: true }, RangeError, /pad needs pack/],
        [{ encoding, pack: 8, pad: 200_019 }, RangeError, /pad .* not 200019/],
        [{ encoding, eos: 3 }, TypeError, /eos/],
      ] as const
    ) {
      assert.throws(() => planOptions(options as never), (error: Error) => {
        assert.ok(error instanceof type, error.message);
        assert.match(error.message, message);
        return true;
      });
    }
  });

  it("have the vocabularies of the library", () => {
    for (const encoding of ["r50k_base", "o200k_harmony"] as const) {
      using tokenizer = new Tokenizer(encoding);
      const { sha256, size, endOfText } = VOCABULARIES[encoding];
      assert.deepEqual([...tokenizer.encode("<|endoftext|>", { special: "allow" })], [endOfText]);
      const hash = createHash("sha256");
      let greatest = -1;
      for (let id = 0; id < size + 100; id++) {
        let bytes: Uint8Array;
        try {
          bytes = tokenizer.decodeBytes([id]);
        } catch {
          continue;
        }
        greatest = id;
        // Special tokens are not in the file.
        if (/^<\|\w+\|>$/.test(Buffer.from(bytes).toString())) continue;
        hash.update(`${Buffer.from(bytes).toString("base64")} ${id}\n`);
      }
      assert.deepEqual([hash.digest("hex"), greatest + 1], [sha256, size]);
    }
  });
});

describe("the share of a run", () => {
  it("is that of the scheduler", () => {
    const auto = (environment: Record<string, string>) => parseShard("auto", environment);
    assert.deepEqual(parseShard("2/5"), { index: 2, count: 5 });
    const third = { index: 2, count: 8 };
    assert.deepEqual(auto({ JOB_COMPLETION_INDEX: "2", JOB_COMPLETIONS: "8" }), third);
    assert.deepEqual(auto({ JOB_COMPLETION_INDEX: "2", SLUICE_SHARDS: "8" }), third);
    const slurm = { SLURM_ARRAY_TASK_ID: "12", SLURM_ARRAY_TASK_COUNT: "8" };
    assert.deepEqual(auto({ ...slurm, SLURM_ARRAY_TASK_MIN: "10" }), third);
    assert.throws(() => auto({ JOB_COMPLETION_INDEX: "2" }), /SLUICE_SHARDS/);
    assert.throws(() => auto({}), /JOB_COMPLETION_INDEX/);
    assert.throws(() => auto(slurm), RangeError);
    for (const wrong of ["8/8", "1", "1/0", "-1/2", "a/b", "1/2/3"]) {
      assert.throws(() => parseShard(wrong), RangeError, wrong);
    }
  });
});

describe("two runs on a folder", () => {
  const WHOLE = { index: 0, count: 1 };

  it("are told of each other, and a run that is gone is not waited for", async () => {
    if (process.platform !== "linux") return; // Elsewhere the system does not say when a process was started.
    using files = corpus();
    const out = files.path("out");
    const inputs = [files.path("in/a.jsonl")];
    await planCorpus(inputs, out, PLAN);
    const other = spawn("sleep", ["60"]);
    const ended = exit(other);
    const lock = (fields: object) => {
      fs.mkdirSync(`${out}/locks`, { recursive: true });
      fs.writeFileSync(`${out}/locks/0-of-1.json`, JSON.stringify(fields));
    };
    const startOf = (pid: number) =>
      fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")[19];
    const holder = {
      pid: other.pid!,
      host: os.hostname(),
      process: startOf(other.pid!),
      started: "2026-01-01T00:00:00.000Z",
    };
    lock(holder);
    await assert.rejects(tokenizeCorpus(inputs, out, BASE), {
      code: "SLUICE_CORPUS_IN_USE",
      message: new RegExp(`process ${other.pid} on .*works in`),
    });
    await assert.rejects(planCorpus(inputs, out, { ...PLAN, fresh: true }), {
      code: "SLUICE_CORPUS_IN_USE",
    });
    // Another share is done beside it, and says so.
    const notes: string[] = [];
    await tokenizeCorpus(inputs, out, {
      ...BASE,
      shard: "0/2",
      onEvent: (event) => event.event === "note" && notes.push(event.message),
    });
    assert.match(notes.join(), new RegExp(`process ${other.pid} .* at share 0/1`));
    const temporary = (pid: number) =>
      `${out}/.shard-00000-of-00009.${pid}-${tag}abcdef012345.tmp.bin`;
    const tag = createHash("sha256").update(os.hostname()).digest("hex").slice(0, 8);
    fs.writeFileSync(temporary(other.pid!), "");
    // A number that is used again is of another process.
    lock({ ...holder, process: "1" });
    await tokenizeCorpus(inputs, out, { ...BASE, shard: "0/1" });
    assert.ok(fs.existsSync(temporary(other.pid!)));
    other.kill("SIGKILL");
    await ended;
    lock(holder);
    const { manifest } = await tokenizeCorpus(inputs, out, BASE);
    assert.ok(manifest);
    assert.ok(!fs.existsSync(temporary(other.pid!)));
    // A container that was killed has its own number and name again.
    lock({ ...holder, pid: process.pid, process: "1" });
    await tokenizeCorpus(inputs, out, BASE);
    assert.ok(!fs.existsSync(`${out}/locks`));
  });

  it("are not held up by one that has ended before its parent asks for its exit code", async () => {
    if (process.platform !== "linux") return;
    using files = corpus();
    const out = files.path("out");
    // `exec` keeps the parent, which then never asks.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"]);
    const ended = exit(parent);
    const [line] = await once(parent.stdout, "data");
    const pid = Number(String(line));
    while (!/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, "utf8"))) await sleep(5);
    fs.mkdirSync(`${out}/locks`, { recursive: true });
    const start = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")[19];
    const holder = { pid, host: os.hostname(), process: start, started: "" };
    fs.writeFileSync(`${out}/locks/0-of-1.json`, JSON.stringify(holder));
    const { manifest } = await tokenizeCorpus([files.path("in/a.jsonl")], out, BASE);
    assert.ok(manifest);
    parent.kill("SIGKILL");
    await ended;
  });

  it("on other machines are watched for a sign of life", async () => {
    using files = new Files({});
    const out = files.directory;
    const at = `${out}/locks/0-of-1.json`;
    fs.mkdirSync(`${out}/locks`);
    fs.writeFileSync(at, JSON.stringify({ pid: 1, host: "elsewhere", process: "1", started: "" }));
    let waits = 0;
    const taken = Lock.take(out, WHOLE, { onWait: () => waits++ });
    const timer = setTimeout(() => fs.utimesSync(at, new Date(), new Date()), 100);
    await assert.rejects(taken, { code: "SLUICE_CORPUS_IN_USE", message: /"elsewhere"/ });
    clearTimeout(timer);
    assert.equal(waits, 1);
  });

  it("are one at a time, of many that start at once", async () => {
    using files = new Files({});
    const out = files.directory;
    const taken = await Promise.allSettled(
      Array.from({ length: 5 }, () => Lock.take(out, WHOLE)),
    );
    const locks = taken.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    assert.equal(locks.length, 1);
    locks[0]![Symbol.dispose]();
    using _again = await Lock.take(out, WHOLE);
  });
});
