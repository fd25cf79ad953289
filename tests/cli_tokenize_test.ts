import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { cutLine, progressLine } from "../src/cli/tokenize/reporter.ts";
import { Rates } from "../src/cli/tokenize/rates.ts";
import { parseSize } from "../src/cli/tokenize/sizes.ts";
import { exit, Files, sluiceWriting, startWriting } from "./fixtures/cli.ts";
import { filesOf, jsonLines } from "./support/corpus_folder.ts";

const GOOD = `${jsonLines(100).join("\n")}\n`;

type Event = Readonly<Record<string, unknown>>;

function events(stdout: string): Event[] {
  return stdout.trimEnd().split("\n").map((line): Event => JSON.parse(line));
}

/** Waits until the program has printed what matches. */
async function printed(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += chunk;
    if (pattern.test(text)) return;
  }
  assert.fail(`ended after ${text}`);
}

describe("sluice tokenize", () => {
  it("tells what it did, goes on with what is left, and finishes", async () => {
    using files = new Files({ "in.jsonl": GOOD });
    const args = ["tokenize", "in.jsonl", "-o", "out", "-e", "o200k_base", "--unit", "3KB"];
    const tokenize = (...more: string[]) =>
      sluiceWriting([...args, "--threads", "1", ...more], "", files.directory);
    const plan = await tokenize("--plan-only");
    assert.deepEqual([plan.code, plan.stdout, plan.stderr], [0, "3\n", ""]);
    const share = await tokenize("--shard", "0/2");
    assert.deepEqual([share.code, share.stderr], [0, ""]);
    assert.match(
      share.stdout,
      /^\d+ documents, [\d,]+ tokens, 0 bad lines in [\d.]+ s \(.*\/s\)\n$/,
    );
    const early = await sluiceWriting(["tokenize", "--finish", "-o", "out"], "", files.directory);
    assert.deepEqual([early.code, early.stdout], [1, ""]);
    assert.match(early.stderr, /1 of 3 shards are missing: shard-00001-of-00003/);
    const rest = await tokenize();
    assert.deepEqual([rest.code, rest.stderr], [0, "sluice: 2 of 3 shards are done already\n"]);
    const [, tree] = /out: 3 shards of bin u32, tree ([0-9a-f]{64})\n$/.exec(rest.stdout)!;
    const finished = await sluiceWriting(
      ["tokenize", "--finish", "-o", "out"],
      "",
      files.directory,
    );
    assert.equal(finished.code, 0);
    assert.ok(finished.stdout.endsWith(`out: 3 shards, tree ${tree}\n`));
  });

  it("prints events", async () => {
    using files = new Files({ "in.jsonl": `${GOOD}nonsense\n` });
    const args = ["tokenize", "in.jsonl", "-o", "out", "-m", "gpt-5", "--unit", "5KB", "--json"];
    const { code, stdout, stderr } = await sluiceWriting(args, "", files.directory);
    assert.deepEqual([code, stderr], [1, ""]);
    const all = events(stdout);
    const of = (name: string) => all.filter(({ event }) => event === name);
    assert.deepEqual(all[0], {
      event: "started",
      units: 2,
      committed: 0,
      bytes: fs.statSync(files.path("in.jsonl")).size,
      threads: Math.min(navigator.hardwareConcurrency, 2),
      files: 1,
      encoding: "o200k_base",
      format: "bin",
      dtype: "u32",
    });
    assert.deepEqual(of("committed").map(({ name }) => name).sort(), [
      "shard-00000-of-00002",
      "shard-00001-of-00002",
    ]);
    const { byte: _, ...bad } = of("bad-line")[0]!;
    assert.deepEqual(bad, {
      event: "bad-line",
      unit: 1,
      file: "in.jsonl",
      line: 101,
      reason: "not-json",
    });
    const { seconds: __, tree, tokens, ...last } = all.at(-1)!;
    assert.match(String(tree), /^[0-9a-f]{64}$/);
    assert.equal(
      tokens,
      JSON.parse(fs.readFileSync(files.path("out/manifest.json"), "utf8")).tokens,
    );
    assert.deepEqual({ ...last, bytes: 0, maxId: 0 }, {
      event: "finished",
      status: "complete",
      exitCode: 1,
      lines: 101,
      documents: 100,
      empty: 5,
      bad: 1,
      blank: 0,
      maxId: 0,
      bytes: 0,
    });
    assert.ok(of("progress").length > 0);
  });

  it("exits with 1 for bad lines unless they are accepted", async () => {
    const input = `{"text":"a"}\nnonsense\n`;
    for (
      const [how, code, message] of [
        ["quarantine", 1, /: 1 bad line in out\/bad, the first is -, line 2: not-json$/m],
        ["stop", 1, /stopped at more than 0 bad lines, the first is -, line 2: not-json$/m],
        ["max=1", 0, /: 1 bad line in out\/bad, the first is -, line 2: not-json$/m],
      ] as const
    ) {
      using files = new Files({});
      const args = ["tokenize", "-o", "out", "-e", "o200k_base", "--bad-lines", how];
      const result = await sluiceWriting(args, input, files.directory);
      assert.equal(result.code, code, how);
      assert.match(result.stderr, message);
      assert.match(result.stderr, /standard input is one unit/);
      assert.equal(fs.existsSync(files.path("out/manifest.json")), how !== "stop");
    }
  });

  it("says where it looked for texts that are not there", async () => {
    using files = new Files({ "in.jsonl": `{"body":"a"}\n`.repeat(300) });
    const args = ["tokenize", "in.jsonl", "-o", "out", "-e", "o200k_base", "--unit", "1KB"];
    const { code, stderr } = await sluiceWriting([...args, "--threads", "2"], "", files.directory);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /: 300 bad lines in out\/bad, the first is in\.jsonl, line 1: no-field, nothing at --field text$/m,
    );
  });

  it("exits with 2 before any work if the command line or the folder is wrong", async () => {
    const unknown = Object.fromEntries(
      ["a", "b", "c", "d"].map((name) => [`blobs/${name}.dat`, ""]),
    );
    using files = new Files({
      "in.jsonl": GOOD,
      "table.csv": "a,b",
      "code.tar.gz": "",
      "mail.dat": "",
      ...unknown,
    });
    const base = ["-o", "out", "-e", "o200k_base"];
    for (
      const [args, message] of [
        [["in.jsonl", "-o", "out"], /say which encoding/],
        [["in.jsonl", "-o", "out", "-e", "o200k"], /Did you mean "o200k_base"/],
        [["none.jsonl", ...base], /none\.jsonl/],
        [["table.csv", ...base], /table\.csv: .*kind/],
        [["code.tar.gz", ...base], /code\.tar\.gz: .*kind.*an archive; unpack it$/m],
        [["mail.dat", ...base], /mail\.dat: .*kind.*; --kind says how to read it$/m],
        // A reason is told once.
        [
          ["table.csv", "blobs", "--include", "*.dat", "none.jsonl", ...base],
          /: blobs\/a\.dat, blobs\/b\.dat, blobs\/c\.dat and 1 more: its kind (?!.*dat.*kind).*; none\.jsonl: no.*; table\.csv: its/,
        ],
        [["in.jsonl", "-o", "table.csv", "-e", "o200k_base"], /table\.csv is not a folder/],
        [["in.jsonl", ...base, "--dtype", "u16"], /dtype "u16" cannot hold the ids of o200k_base/],
        [["in.jsonl", ...base, "--unit", "0"], /size, such as/],
        [["in.jsonl", ...base, "--shard", "3/3"], /shard must be/],
        [["in.jsonl", ...base, "--shard", "0/3", "--fresh"], /fresh would delete/],
        [["in.jsonl", "-o", ".", "-e", "o200k_base"], /in\.jsonl: is in \., where the output goes/],
      ] as const
    ) {
      const result = await sluiceWriting(["tokenize", ...args], "", files.directory);
      assert.deepEqual([result.code, result.stdout], [2, ""], args.join(" "));
      assert.match(result.stderr, message);
    }
    assert.ok(!fs.existsSync(files.path("out")));
  });

  it("makes an empty corpus of an empty file", async () => {
    using files = new Files({ "in.jsonl": "" });
    const args = ["tokenize", "in.jsonl", "-o", "out", "-e", "o200k_base"];
    assert.equal((await sluiceWriting(args, "", files.directory)).code, 0);
    const { code, stdout } = await sluiceWriting(["inspect", "out"], "", files.directory);
    assert.equal(code, 0);
    assert.match(stdout, /^documents {2}0, 0 empty$/m);
    assert.match(stdout, /^tokens {5}0$/m);
  });

  it("exits with 5 if the folder cannot be made", async () => {
    using files = new Files({ "in.jsonl": GOOD, "file": "" });
    const args = ["tokenize", "in.jsonl", "-o", "file/out", "-e", "o200k_base"];
    const result = await sluiceWriting(args, "", files.directory);
    assert.equal(result.code, 5, result.stderr);
    assert.match(
      result.stderr,
      /^sluice: file\/out cannot be written: .*; what is committed stays, and the same command/,
    );
  });

  it("names the shards that are damaged", async () => {
    using files = new Files({ "in.jsonl": GOOD });
    const args = ["tokenize", "in.jsonl", "-o", "out", "-e", "o200k_base", "--unit", "3KB"];
    assert.equal((await sluiceWriting(args, "", files.directory)).code, 0);
    fs.truncateSync(files.path("out/shard-00001-of-00003.bin"), 7);
    fs.writeFileSync(files.path("out/shard-00002-of-00003.json"), "x");
    const { code, stderr } = await sluiceWriting(args, "", files.directory);
    assert.deepEqual([code, stderr.split("\n")], [0, [
      "sluice: shard-00001-of-00003 is not what its record says: it is made again",
      "sluice: shard-00002-of-00003 is not what its record says: it is made again",
      "sluice: 1 of 3 shards are done already",
      "",
    ]]);
  });

  // Windows has no signals to send.
  const signals = process.platform === "win32" ? [] : ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) {
    it(`stops at ${signal} with 4, and the same command goes on`, async () => {
      const text = `${jsonLines(20_000).join("\n")}\n`;
      using files = new Files({ "in.jsonl": text });
      const args = ["tokenize", "in.jsonl", "-e", "o200k_base", "--unit", "20KB", "--threads"];
      const stopped = startWriting([...args, "2", "-o", "out", "--json"], files.directory);
      const ended = exit(stopped);
      await printed(stopped, /"committed","name"/);
      stopped.stdout!.resume();
      process.kill(stopped.pid!, signal); // Of `kill` of the child Deno takes the signal as its end.
      assert.equal(await ended, 4);
      const left = [...filesOf(files.path("out")).keys()];
      const records = left.filter((name) => /^shard.*\.json$/.test(name));
      assert.ok(records.length > 0 && !left.includes("manifest.json"), left.join());
      assert.deepEqual(
        fs.readdirSync(files.path("out")).filter((name) => /tmp|locks/.test(name)),
        [],
      );
      // The rest takes long, and is compared elsewhere.
      const { units } = JSON.parse(fs.readFileSync(files.path("out/plan.json"), "utf8"));
      assert.ok(records.length < units.length);
    });
  }

  it("stops while it waits for standard input", async () => {
    if (process.platform === "win32") return;
    using files = new Files({});
    const args = ["tokenize", "-o", "out", "-e", "o200k_base", "--json"];
    const waiting = startWriting(args, files.directory);
    const ended = exit(waiting);
    await printed(waiting, /"event":"started"/);
    process.kill(waiting.pid!, "SIGINT");
    assert.equal(await ended, 4);
    waiting.stdin!.destroy();
    assert.deepEqual(fs.readdirSync(files.path("out")), ["plan.json"]);
  });
});

describe("the progress of a corpus", () => {
  it("has rates over the last ten seconds, and the time that is left", () => {
    const rates = new Rates(6_100_000_000, 0);
    rates.add(100_000_000, 10_000_000, 1000);
    rates.add(1_000_000_000, 100_000_000, 10_000);
    const rate = rates.add(1_900_000_000, 331_000_000, 11_001);
    const seconds = 10.001; // Since the sample at 1 s.
    assert.deepEqual(rate, {
      bytesPerSecond: 1_800_000_000 / seconds,
      tokensPerSecond: 321_000_000 / seconds,
      secondsLeft: 4_200_000_000 / (1_800_000_000 / seconds),
    });
    const started = { event: "started", units: 24, bytes: 6_100_000_000 } as never;
    const done = { committed: 7, bytes: 1_900_000_000, bad: 3 } as never;
    assert.equal(
      progressLine(started, done, rate),
      "shards 7/24 · 1.9/6.1 GB · 180 MB/s · 32 M tok/s · ETA 23 s · 3 bad",
    );
  });

  it("is cut to the terminal, if that knows its size", () => {
    assert.deepEqual([10, 100, 0, undefined].map((columns) => cutLine("shards 1/2", columns)), [
      "shards 1/",
      "shards 1/2",
      "shards 1/2",
      "shards 1/2",
    ]);
  });

  it("reads sizes", () => {
    assert.deepEqual(
      ["64KB", "256MB", "1GiB", "1.5 kB", "12"].map(parseSize),
      [64_000, 256_000_000, 2 ** 30, 1500, 12],
    );
    for (const wrong of ["", "0", "-1", "1XB", "KB", "1e9"]) assert.throws(() => parseSize(wrong));
  });
});
