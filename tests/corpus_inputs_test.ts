import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { describe, it } from "node:test";
import zlib from "node:zlib";
import { findInputs, inputFile, kindOf, SourceError } from "../src/corpus/sources/mod.ts";
import { Files } from "./fixtures/cli.ts";
import { evalCommand } from "./support/runtime.ts";

const TREE = {
  "b.jsonl": "{}\n",
  "a.ndjson.gz": zlib.gzipSync("{}\n"),
  "deep/c.json.zst": "",
  "deep/d.parquet": "",
  "deep/e.TXT": "x",
  "deep/f.md.gz": "",
  "deep/readme": "x",
  "dataset_info.json": "{}",
  "g.csv": "x",
  "h.ts": "x",
  ".hidden.jsonl": "{}\n",
  "node_modules/i.jsonl": "{}\n",
};

function names(files: Files, args: readonly string[], options = {}): string[] {
  return findInputs(args.map((arg) => path.join(files.directory, arg)), options)
    .map(({ path: found }) => path.relative(files.directory, found).replaceAll("\\", "/"));
}

describe("inputs of a corpus", () => {
  it("in folders are those of known kinds, in the order of their paths", () => {
    using files = new Files(TREE);
    assert.deepEqual(names(files, ["."]), [
      "a.ndjson.gz",
      "b.jsonl",
      "deep/c.json.zst",
      "deep/d.parquet",
      "deep/e.TXT",
      "deep/f.md.gz",
    ]);
    assert.deepEqual(names(files, ["."], { include: ["*.ts"] }), ["h.ts"]);
    assert.deepEqual(names(files, ["."], { exclude: ["deep"], hidden: true }), [
      ".hidden.jsonl",
      "a.ndjson.gz",
      "b.jsonl",
    ]);
  });

  it("are read once, however often they are given, and in one order", () => {
    using files = new Files({ ...TREE, "\u{1F600}.jsonl": "", "\uFF5E.jsonl": "", "B.jsonl": "" });
    const args = ["deep/../b.jsonl", "deep", "*.jsonl", "b.jsonl", "B.jsonl", "deep/e.TXT"];
    const expected = [
      "B.jsonl",
      "b.jsonl",
      "deep/c.json.zst",
      "deep/d.parquet",
      "deep/e.TXT",
      "deep/f.md.gz",
      // As numbers of UTF-16 these two have the other order.
      "\uFF5E.jsonl",
      "\u{1F600}.jsonl",
    ];
    assert.deepEqual(names(files, args), expected);
    assert.deepEqual(names(files, args.toReversed()), expected);
  });

  it("are refused if a folder or a pattern has none, all at once", () => {
    using files = new Files({ "empty/readme": "", ...TREE });
    assert.throws(
      () => names(files, ["empty", "*.jsonl", "x*.jsonl"]),
      (error: Error) => {
        assert.ok(error instanceof SourceError);
        assert.match(error.message, /empty: no \.jsonl, .*; .*x\*\.jsonl: no file matches$/);
        return true;
      },
    );
  });

  it("are refused if their names are not UTF-8", { skip: process.platform !== "linux" }, () => {
    using files = new Files({ "a.jsonl": "{}\n" });
    const script = `printf '{}\\n' > "$(printf 'a\\377.jsonl')"`;
    execFileSync("sh", ["-c", script], { cwd: files.directory });
    assert.throws(() => names(files, ["."]), /name is not UTF-8/);
  });

  it("have a kind by their suffix", async () => {
    const kinds = {
      "a.jsonl": "jsonl",
      "a.NDJSON": "jsonl",
      "x/a.json": "jsonl",
      "c4-train.00000-of-01024.json.gz": "jsonl.gz",
      "a.jsonl.zst": "jsonl.zst",
      "a.parquet": "parquet",
      "a.txt": "text",
      "a.md.gz": "text.gz",
      "README": "text",
      "main.rs": "text",
      "-": "jsonl",
    };
    for (const [name, kind] of Object.entries(kinds)) assert.equal(kindOf(name), kind, name);
    using files = new Files({});
    const unknown = {
      "a.csv": /table/,
      "a.tsv.gz": /table/,
      "a.jsonl.bz2": /only \.gz and \.zst/,
      "a.tar": /an archive/,
      "a.parquet.gz": /kind is not known/,
      "a.bin": /kind is not known/,
      "a": /kind is not known/,
    };
    for (const [name, reason] of Object.entries(unknown)) {
      assert.equal(kindOf(name), undefined, name);
      await assert.rejects(inputFile(path.join(files.directory, name)), reason);
    }
  });

  it("are described as they are, or refused if they are no files", async () => {
    using files = new Files({ "a.jsonl": "{}\n" });
    const file = path.join(files.directory, "a.jsonl");
    fs.utimesSync(file, 1_700_000_000.1239, 1_700_000_000.1239);
    const { size, mtime, kind } = await inputFile(file);
    assert.deepEqual({ size, mtime, kind }, { size: 3, mtime: 1_700_000_000_123, kind: "jsonl" });
    assert.equal((await inputFile(file, "text")).kind, "text");
    assert.deepEqual(await inputFile("-"), { path: "-", kind: "jsonl", size: 0, mtime: 0 });
    await assert.rejects(
      inputFile(path.join(files.directory, "b.jsonl")),
      /b\.jsonl: no such file/,
    );
    await assert.rejects(inputFile(files.directory, "jsonl"), /is a folder/);
    await assert.rejects(inputFile("-", "parquet"), /standard input/);
    if (fs.existsSync("/dev/null")) {
      await assert.rejects(inputFile("/dev/null", "jsonl"), /not a regular file; give -/);
    }
  });

  it("may be standard input, whole or compressed", async () => {
    const program = `
      import process from "node:process";
      import { inputFile, openPart, partsOf } from "./src/corpus/sources/mod.ts";
      const input = await inputFile("-", process.env.KIND);
      let [lines, bytes, told] = [0, 0, 0];
      const options = { field: "text", memory: 1e9, onRead: (n) => (told += n) };
      for (const { part } of await partsOf(input, 0, 1000, options)) {
        for await (const batch of openPart(input, part, options)) {
          bytes += batch.bytes.length;
          lines += batch.bytes.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
        }
      }
      console.log(JSON.stringify({ lines, bytes, told }));
    `;
    const text = Buffer.from(
      '\uFEFF{"text":"a line"}\n'.repeat(1) + '{"text":"a line"}\n'.repeat(99_999),
    );
    for (
      const [kind, bytes] of [
        ["jsonl", text],
        ["jsonl.gz", zlib.gzipSync(text)],
        ["jsonl.zst", zlib.zstdCompressSync(text)],
      ] as const
    ) {
      const child = start(program, { KIND: kind });
      let out = "";
      child.stdout.on("data", (chunk) => (out += chunk));
      const exit = new Promise((resolve) => child.on("close", resolve));
      // In pieces, as a pipe has them.
      const cut = bytes.length >> 1;
      child.stdin.write(bytes.subarray(0, cut), () => child.stdin.end(bytes.subarray(cut)));
      await exit;
      assert.deepEqual(JSON.parse(out), {
        lines: 100_000,
        bytes: text.length - 3,
        told: bytes.length,
      });
    }
  });

  it("on standard input are not waited for once the run is stopped", async () => {
    const program = `
      import process from "node:process";
      import { inputFile, openPart } from "./src/corpus/sources/mod.ts";
      const input = await inputFile("-", process.env.KIND);
      const part = { file: 0, from: 0, to: 0 };
      const reason = new Error("stopped");
      const stop = new AbortController();
      setTimeout(() => stop.abort(reason), 50);
      try {
        const options = { field: "text", memory: 1e9, signal: stop.signal };
        for await (const _ of openPart(input, part, options)) break;
        console.log("read");
      } catch (error) {
        console.log(error === reason);
      }
      process.exit(0);
    `;
    for (const kind of ["jsonl", "jsonl.gz", "text.zst"]) {
      const child = start(program, { KIND: kind });
      // What is there is less than a piece, and more may come.
      child.stdin.write(kind.endsWith("gz") ? zlib.gzipSync("{}\n").subarray(0, 12) : "{");
      let out = "";
      child.stdout.on("data", (chunk) => (out += chunk));
      await new Promise((resolve) => child.on("close", resolve));
      assert.equal(out, "true\n");
    }
  });
});

/** Starts a program in this runtime. */
function start(
  program: string,
  env: Record<string, string>,
): ChildProcessByStdio<Writable, Readable, null> {
  const [command, ...args] = evalCommand(program);
  return spawn(command!, args, {
    cwd: new URL("..", import.meta.url),
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
}
