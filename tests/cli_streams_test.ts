import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { describe, it } from "node:test";
import { ENCODINGS, Tokenizer } from "../mod.ts";
import { IdReader } from "../src/cli/ids.ts";
import { lastSafeCut, validUtf8Length } from "../src/tokenizer/safe_cut.ts";
import { exit, Files, sluice, start } from "./fixtures/cli.ts";

const O200K = ["--encoding", "o200k_base"];

/** Lines, parsed. */
function parse(stdout: string): unknown[] {
  assert.ok(stdout === "" || stdout.endsWith("\n"));
  return stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** All that can go wrong on the way to tokens and back, without a line end behind it. */
const TRICKY = "\uFEFFBOM\r\nCRLF \0\x01\x7f\t tabs\u0085\u2028\u3000 naïve e\u0301 你好，世界。 " +
  "👩‍👩‍👧‍👦🏳️‍🌈 \uFFFD\u{10FFFF} <|endoftext|> don't   \n\n\n  trailing  ";

describe("sluice encode and decode", () => {
  it("converts each file to an array, and the arrays to the files", async () => {
    using files = new Files({ "a.txt": "Hello, world!", "b.txt": TRICKY, "empty.txt": "" });
    const paths = ["a.txt", "b.txt", "empty.txt"].map((name) => files.path(name));
    const { code, stdout, stderr } = await sluice(["encode", ...O200K, ...paths]);
    assert.deepEqual([code, stderr], [0, ""]);
    using tokenizer = new Tokenizer("o200k_base");
    const expected = ["Hello, world!", TRICKY, ""].map((text) => [...tokenizer.encode(text)]);
    assert.deepEqual(parse(stdout), expected);
    const decoded = await sluice(["decode", ...O200K], stdout);
    assert.equal(decoded.code, 0);
    assert.equal(decoded.stdout, "Hello, world!" + TRICKY);
  });

  it("restores every byte of a large file, in every encoding", async () => {
    const bytes = new TextEncoder().encode(TRICKY.repeat(12_000) + "x".repeat(100_000));
    for (const encoding of ENCODINGS) {
      const encoded = await sluice(["encode", "-e", encoding], bytes);
      assert.equal(encoded.stderr, "");
      const decoded = await sluice(["decode", "-e", encoding], encoded.bytes);
      assert.equal(decoded.stderr, "");
      assert.equal(Buffer.compare(decoded.bytes, bytes), 0, encoding);
    }
  });

  it("keeps bytes that are not a whole character", async () => {
    const { bytes } = await sluice(["decode", "-m", "gpt-5"], "[52622] [ 121 ]\n\n[]");
    using tokenizer = new Tokenizer("o200k_base");
    assert.deepEqual([...bytes], [...tokenizer.decodeBytes([52622, 121])]);
  });

  it("leaves an array without an end after an error", async () => {
    const bad = new Uint8Array([...new TextEncoder().encode("a b ".repeat(400_000)), 0xff]);
    using files = new Files({ "bad.txt": bad, "short.txt": Uint8Array.of(0x61, 0xff) });
    const paths = [files.path("bad.txt"), files.path("short.txt"), "-"];
    const { code, stdout, stderr } = await sluice(["encode", ...O200K, ...paths], "Hello");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /bad\.txt: not valid UTF-8 at byte 1600000\n.*short\.txt: .* at byte 1\n.*2 of 3 inputs failed\n$/,
    );
    const lines = stdout.split("\n");
    assert.throws(() => JSON.parse(lines[0]!));
    assert.deepEqual(lines.slice(1), ["[13225]", ""]);
  });

  it("refuses what is not an array of ids, with the offset", async () => {
    const cases: [input: string, message: RegExp][] = [
      ["[13225", /ends at byte 6 where a digit, a comma or \] should follow/],
      ["[13225,]", /"\]" at byte 7 instead of an id/],
      ["[1 2]", /"2" at byte 3 instead of a comma or \]/],
      ["[13225] 7", /"7" at byte 8 instead of an array/],
      ["[-1]", /"-" at byte 1 instead of an id or \]/],
      ["[4294967296]", /no token id is as large as the number at byte 10/],
      ["[300000]", /this encoding has no token id 300000/],
      ['{"ids":[1]}', /holds a JSON object, which takes --jsonl/],
    ];
    for (const [input, message] of cases) {
      const { code, stderr } = await sluice(["decode", ...O200K], input);
      assert.equal(code, 1);
      assert.match(stderr, /^sluice: stdin: .*\n$/);
      assert.match(stderr, message);
    }
  });
});

describe("--jsonl", () => {
  it("answers each line in order and isolates the bad ones", async () => {
    const input = new TextEncoder().encode(
      '\uFEFF{"text":"Hello"}\r\n{"text":"?"}\r\nnonsense\r\n\r\n[1]\n{"text":7}\n{"body":"x"}\n' +
        '{"text":"","__proto__":{}}\n{"text":"a\\nb"}',
    );
    input[input.indexOf(0x3f)] = 0xff;
    const { code, stdout, stderr } = await sluice(["encode", "--jsonl", ...O200K], input);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "sluice: stdin: 6 bad lines, the first is line 2: not valid UTF-8 at byte 9 of the line\n",
    );
    assert.deepEqual(parse(stdout), [
      { ids: [13225] },
      { error: "not valid UTF-8 at byte 9 of the line", line: 2 },
      { error: "not valid JSON", line: 3 },
      { error: "the line is empty", line: 4 },
      { error: "not a JSON object but an array", line: 5 },
      { error: '"text" is not a string but a number', line: 6 },
      { error: 'there is no "text"', line: 7 },
      { ids: [] },
      { ids: [64, 198, 65] },
    ]);
  });

  it("takes another field, but not an inherited one", async () => {
    const args = ["encode", "--jsonl", ...O200K, "--field"];
    assert.equal(
      (await sluice([...args, "body"], '{"text":1,"body":"Hello"}')).stdout,
      '{"ids":[13225]}\n',
    );
    const { code, stdout } = await sluice([...args, "constructor"], "{}\n");
    assert.deepEqual([code, stdout], [1, '{"error":"there is no \\"constructor\\"","line":1}\n']);
  });

  it("encodes the rest if --special error refuses a line", async () => {
    const lines = ["a", "<|endoftext|>", "b"].map((text) => JSON.stringify({ text })).join("\n");
    const { code, stdout } = await sluice(
      ["encode", "--jsonl", ...O200K, "--special", "error"],
      lines,
    );
    assert.equal(code, 1);
    assert.deepEqual(parse(stdout), [
      { ids: [64] },
      { error: "text contains the special token <|endoftext|> at byte 0", line: 2 },
      { ids: [65] },
    ]);
  });

  it("keeps the order of a large file, and restores it", async () => {
    const texts = Array.from({ length: 40_000 }, (_, i) => `${i} ${TRICKY.slice(i % 60, 90)}`);
    texts[20_000] = "a line longer than what is read at once ".repeat(60_000);
    const input = texts.map((text) => JSON.stringify({ text })).join("\n");
    assert.ok(input.length > 5_000_000);
    const encoded = await sluice(["encode", "--jsonl", ...O200K], input);
    assert.deepEqual([encoded.code, encoded.stderr], [0, ""]);
    const decoded = await sluice(["decode", "--jsonl", ...O200K], encoded.bytes);
    assert.deepEqual([decoded.code, decoded.stderr], [0, ""]);
    using tokenizer = new Tokenizer("o200k_base");
    const { ids, offsets } = tokenizer.encodeBatch(texts);
    const results = parse(encoded.stdout) as { ids: number[] }[];
    assert.equal(results.length, texts.length);
    for (const [i, line] of results.entries()) {
      assert.deepEqual(line.ids, [...ids.subarray(offsets[i], offsets[i + 1])]);
    }
    // A surrogate pair that is cut in two is read as U+FFFD.
    const expected = texts.map((text) => ({ text: text.toWellFormed() }));
    assert.deepEqual(parse(decoded.stdout), expected);
  });

  it("decodes whole characters and never replaces bytes", async () => {
    const input =
      '{"ids":[13225]}\n{"ids":[52622]}\n{"ids":[1.5]}\n{"ids":"1"}\n{"ids":[300000]}\n{}\n';
    const { code, stdout } = await sluice(
      ["decode", "--jsonl", ...O200K, "--field", "body"],
      input,
    );
    assert.equal(code, 1);
    assert.deepEqual(parse(stdout), [
      { body: "Hello" },
      { error: "the ids make no valid UTF-8 at byte 0 of the text", line: 2 },
      { error: "ids[0] must be an integer from 0 to 4294967295, not 1.5", line: 3 },
      { error: '"ids" is not an array but a string', line: 4 },
      { error: "this encoding has no token id 300000 at index 0", line: 5 },
      { error: 'there is no "ids"', line: 6 },
    ]);
  });
});

describe("the parts of the command line", () => {
  const encoder = new TextEncoder();

  it("cuts texts only where no token changes", () => {
    const parts = (TRICKY + " <|endoftext|>a,b. 好。好\r\n好、 it's 3.14,159;x\n\nY 'll \n/x  7/\n")
      .match(/[\s\S]{1,3}/gu)!;
    let seed = 7;
    let cuts = 0;
    const random = (n: number) => (seed = seed * 48271 % 0x7fffffff) % n;
    for (const encoding of ENCODINGS) {
      using tokenizer = new Tokenizer(encoding);
      for (let i = 0; i < 300; i++) {
        const text = Array.from({ length: 40 }, () => parts[random(parts.length)]).join("");
        const bytes = encoder.encode(text);
        const special = i % 2 === 0 ? "text" : "allow";
        const pieces: number[] = [];
        let start = 0;
        for (let at = 1; at < bytes.length; at++) {
          // Each offset by itself, with the whole character that begins there.
          const lead = bytes[at]!;
          const end = at + (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1);
          if (random(2) === 0 || lastSafeCut(bytes, at, end) !== at) continue;
          cuts++;
          pieces.push(...tokenizer.encode(bytes.subarray(start, at), { special }));
          start = at;
        }
        pieces.push(...tokenizer.encode(bytes.subarray(start), { special }));
        assert.deepEqual(pieces, [...tokenizer.encode(text, { special })], JSON.stringify(text));
      }
    }
    assert.ok(cuts > 10_000, String(cuts));
  });

  it("reads ids however they are cut", () => {
    const text = encoder.encode(" [1,22 ,\n333] []\t[4294967295,0]");
    for (let step = 1; step <= text.length; step++) {
      const reader = new IdReader();
      const ids: number[] = [];
      for (let at = 0; at < text.length; at += step) {
        for (const batch of reader.read(text.subarray(at, at + step))) ids.push(...batch);
      }
      reader.end();
      assert.deepEqual(ids, [1, 22, 333, 4294967295, 0]);
    }
  });

  it("finds the first byte that is not UTF-8", () => {
    const cases: [number[], number][] = [
      [[], 0],
      [[0x61, 0xe4, 0xbd, 0xa0], 4],
      [[0x61, 0xff], 1],
      [[0xe4, 0xbd], 0],
      [[0x61, 0xe4, 0xbd, 0x61], 1],
      [[0xf0, 0x9f, 0x91, 0x8b, 0x80], 4],
      [[0x61, 0xc0, 0x80], 1],
      [[0x61, 0xed, 0xa0, 0x80], 1],
      [[0x61, 0x62, 0xf4, 0x90, 0x80, 0x80], 2],
    ];
    for (const [bytes, at] of cases) assert.equal(validUtf8Length(Uint8Array.from(bytes)), at);
  });
});

describe("a pipe whose writer waits for answers", () => {
  const cases: [args: string[], sent: string, expected: string][] = [
    [["encode", ...O200K, "--jsonl"], '{"text":"Hello"}', '{"ids":[13225]}'],
    [["decode", ...O200K, "--jsonl"], '{"ids":[13225]}', '{"text":"Hello"}'],
    [["count", "--jsonl"], '{"text":"Hello"}', '{"line":1,"tokens":1}'],
  ];
  for (const [args, sent, expected] of cases) {
    it(`gets each line as soon as it can: ${args[0]}`, { timeout: 30_000 }, async () => {
      const child = start(args);
      const ended = exit(child);
      try {
        child.stdin!.write(`${sent}\n`);
        const signal = AbortSignal.timeout(20_000);
        const [answer] = await once(child.stdout!, "data", { signal });
        assert.equal(String(answer), `${expected}\n`);
        child.stdin!.end();
        assert.equal(await ended, 0);
      } finally {
        child.kill();
      }
    });
  }
});
