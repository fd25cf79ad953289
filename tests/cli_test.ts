import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { ENCODINGS, Tokenizer } from "../mod.ts";
import { knownModels } from "../src/tokenizer/model_table.ts";
import manifest from "../package.json" with { type: "json" };
import { exit, Files, sluice, start } from "./fixtures/cli.ts";

const HELLO = "Hello, world!";

describe("sluice count", () => {
  it("counts standard input, bare for scripts", async () => {
    const { code, stdout, stderr } = await sluice(["count"], HELLO);
    assert.deepEqual([code, stdout, stderr], [0, "4\n", ""]);
    assert.equal((await sluice(["count", "-"], "")).stdout, "0  -\n");
  });

  it("counts files like wc, with a total", async () => {
    using files = new Files({ "a.txt": HELLO, "b.txt": "x ".repeat(500), "empty.txt": "" });
    const [a, b, empty] = ["a.txt", "b.txt", "empty.txt"].map((name) => files.path(name));
    const { stdout } = await sluice(["count", "-e", "cl100k_base", a!, b!, empty!, "-"], "one two");
    assert.equal(stdout, `  4  ${a}\n501  ${b}\n  0  ${empty}\n  2  -\n507  total\n`);
  });

  it("prints one JSON object", async () => {
    using files = new Files({ "a.txt": HELLO, "b.txt": "naïve 你好" });
    const [a, b] = [files.path("a.txt"), files.path("b.txt")];
    const { stdout, stderr, code } = await sluice([
      "count",
      "--json",
      "--encoding",
      "r50k_base",
      a,
      b,
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(
      stdout,
      JSON.stringify({
        encoding: "r50k_base",
        files: [{ path: a, bytes: 13, tokens: 4 }, { path: b, bytes: 13, tokens: 7 }],
        tokens: 11,
      }) + "\n",
    );
  });

  it("takes a model, and reports an estimate", async () => {
    assert.deepEqual(
      JSON.parse((await sluice(["count", "--json", "--model", "openai/gpt-4"], "hi")).stdout),
      {
        encoding: "cl100k_base",
        files: [{ path: "-", bytes: 2, tokens: 1 }],
        tokens: 1,
      },
    );
    const estimate = JSON.parse(
      (await sluice(["count", "--json", "-m", "claude-opus-4"], "hi")).stdout,
    );
    assert.deepEqual([estimate.encoding, estimate.exact], ["o200k_base", false]);
    // Standard error is not a terminal here.
    const says =
      "sluice: the vocabulary of claude-opus-4 is not available: o200k_base stands in, so " +
      "this is an estimate\n";
    const commands = [["count"], ["encode"], ["truncate", "--max", "1"], ["chunks", "--size", "1"]];
    for (const command of commands) {
      assert.equal((await sluice([...command, "-m", "claude-opus-4"], "hi")).stderr, says);
      assert.equal((await sluice([...command, "-q", "-m", "claude-opus-4"], "hi")).stderr, "");
    }
  });

  it("exits with 3 over --max, and not at it", async () => {
    assert.equal((await sluice(["count", "--max", "4"], HELLO)).code, 0);
    const { code, stdout, stderr } = await sluice(["count", "--max", "3"], HELLO);
    assert.deepEqual([code, stdout, stderr], [3, "4\n", "sluice: 4 tokens are more than 3\n"]);
  });

  it("reads special tokens as --special says", async () => {
    const text = "a <|endoftext|>";
    assert.equal((await sluice(["count"], text)).stdout, "8\n");
    assert.equal((await sluice(["count", "--special", "allow"], text)).stdout, "3\n");
    const { code, stderr } = await sluice(
      ["count", "--special", "error"],
      "x ".repeat(1 << 20) + text,
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^sluice: stdin: text contains the special token <\|endoftext\|> at byte 2097154\n$/,
    );
  });

  it("continues after an input that it cannot read", async () => {
    using files = new Files({
      "good.txt": HELLO,
      "bad.txt": Uint8Array.of(0x61, 0xe4, 0xb8, 0x58),
    });
    const [good, bad, none] = ["good.txt", "bad.txt", "none.txt"].map((name) => files.path(name));
    const result = await sluice(["count", "--json", none!, bad!, good!]);
    assert.equal(result.code, 1);
    assert.equal(
      result.stderr,
      `sluice: ${none}: no such file\nsluice: ${bad}: not valid UTF-8 at byte 1\n` +
        "sluice: 2 of 3 inputs failed\n",
    );
    assert.deepEqual(JSON.parse(result.stdout).files, [{ path: good, bytes: 13, tokens: 4 }]);
  });

  it("finds invalid UTF-8 anywhere in a large file", async () => {
    const text = new TextEncoder().encode("words and words ".repeat(200_000) + "end");
    for (const at of [0, 1_500_000, text.length - 1]) {
      const bad = text.slice();
      bad[at] = 0xff;
      using files = new Files({ "bad.txt": bad });
      const { code, stdout, stderr } = await sluice(["count", files.path("bad.txt")]);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.equal(stderr, `sluice: ${files.path("bad.txt")}: not valid UTF-8 at byte ${at}\n`);
    }
  });

  it("counts a large file as the tokenizer counts it whole", async () => {
    const text = "\uFEFFThe naïve façade;\r\n\r\n  你好，世界。 don't 12345\t".repeat(60_000);
    using tokenizer = new Tokenizer("o200k_base");
    assert.equal((await sluice(["count"], text)).stdout, `${tokenizer.count(text)}\n`);
  });
});

describe("sluice models and doctor", () => {
  it("lists the models", async () => {
    assert.deepEqual(JSON.parse((await sluice(["models", "--json"])).stdout), knownModels());
    const { stdout } = await sluice(["models"]);
    assert.match(stdout, /^gpt-5\* +o200k_base +estimate$/m);
    assert.match(stdout, /^claude\* +o200k_base +estimate$/m);
  });

  it("finds everything in place", async () => {
    const { code, stdout } = await sluice(["doctor", "--json"]);
    assert.equal(code, 0);
    const { ok, version, library, encodings } = JSON.parse(stdout);
    assert.deepEqual([ok, version, library.version], [true, manifest.version, manifest.version]);
    assert.match(library.abiHash, /^0x[0-9a-f]{8}$/);
    assert.deepEqual(encodings, ENCODINGS.map((name) => ({ name, ok: true })));
    assert.match(
      (await sluice(["doctor"])).stdout,
      /^library .*\n.*\n.*\nCPU .*\n(?:\w+ +ok\n){6}/m,
    );
  });
});

describe("the command line", () => {
  it("shows examples before anything else in its help", async () => {
    const commands = ["count", "encode", "decode", "truncate", "chunks", "models", "doctor"];
    for (const command of [[], ...commands.map((name) => [name])]) {
      const { code, stdout, stderr } = await sluice([...command, "--help"]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.ok(stdout.startsWith("Examples:\n  "), stdout);
      assert.match(stdout, /\nExit codes: 0 .* 1 .* 2 .* 3 [^]*\n$/);
      assert.ok(stdout.includes(`\nUsage: ${["sluice", ...command].join(" ")} [options]`), stdout);
    }
    const help = (await sluice(["count", "--help"])).stdout;
    assert.match(help, /default: o200k_base/);
    assert.match(help, /never node_modules, \.git/);
    assert.match(help, / markdown .* jsonl /s);
    assert.ok(help.split("\n").every((line) => line.length <= 100), help);
  });

  it("knows its version", async () => {
    assert.equal((await sluice(["--version"])).stdout, `${manifest.version}\n`);
  });

  it("answers wrong usage with one line on standard error and exit code 2", async () => {
    const cases: [args: string[], message: RegExp][] = [
      [["cuont"], /unknown command 'cuont' \(Did you mean count\?\)/],
      [["count", "--modle", "x"], /unknown option '--modle' \(Did you mean --model\?\)/],
      [["count", "-e", "o200k_bas"], /Unknown encoding "o200k_bas"\. Did you mean "o200k_base"\?/],
      [["count", "-m", "gtp-5"], /Unknown model "gtp-5"\. Did you mean "gpt-5"\?/],
      [["count", "-m", "gpt-5", "-e", "r50k_base"], /cannot be used with/],
      [["count", "--max", "-1"], /It must be a whole number/],
      [["count", "--special", "maybe"], /Allowed choices are text, allow, error/],
      [["encode", "x"], /say which encoding: --encoding o200k_base, or --model gpt-5/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await sluice(args);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, /^sluice: .*\n$/);
      assert.match(stderr, message);
    }
    const { code, stdout, stderr } = await sluice([]);
    assert.deepEqual([code, stdout, stderr.slice(0, 9)], [2, "", "Examples:"]);
  });

  it("exits silently and with success when its reader closes the pipe", async () => {
    const child = start(["encode", "-e", "o200k_base", "--jsonl"]);
    const said: string[] = [];
    child.stderr!.on("data", (data: unknown) => said.push(String(data)));
    child.stdin!.on("error", () => {});
    child.stdout!.once("data", () => child.stdout!.destroy());
    child.stdin!.write('{"text":"some text to encode"}\n'.repeat(300_000));
    assert.equal(await exit(child), 0);
    assert.deepEqual(said, []);
  });

  it("exits with 130 when interrupted", async () => {
    const child = start(["encode", "-e", "o200k_base", "--jsonl"]);
    const code = exit(child);
    child.stdout!.once("data", () => process.kill(child.pid!, "SIGINT"));
    child.stdin!.write('{"text":"x"}\n'.repeat(10_000));
    assert.equal(await code, 130);
  });
});
