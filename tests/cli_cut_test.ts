import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { ENCODINGS, Tokenizer } from "../mod.ts";
import { textPath } from "../src/files/file_path.ts";
import { Input } from "../src/cli/input.ts";
import { TokenCutter } from "../src/tokenizer/word_cut.ts";
import { Files, sluice } from "./fixtures/cli.ts";

const FIVE = "one two three four five";

function parse(stdout: string): Record<string, unknown>[] {
  return stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

describe("sluice truncate", () => {
  it("keeps the side that the option names", async () => {
    const cases: [args: string[], text: string][] = [
      [[], "one two three"],
      [["--side", "tail"], " three four five"],
      [["--side", "middle"], "one… five"],
      [["--side", "middle", "--marker", ""], "one two five"],
      [["--marker", "!"], "one two!"],
    ];
    for (const [args, text] of cases) {
      const { code, stdout, stderr } = await sluice(["truncate", "--max", "3", ...args], FIVE);
      assert.deepEqual([code, stdout, stderr], [0, text, ""]);
    }
    assert.equal((await sluice(["truncate", "--max", "5"], FIVE)).stdout, FIVE);
    assert.equal((await sluice(["truncate", "--max", "0"], FIVE)).stdout, "");
  });

  it("cuts a large file as the tokenizer cuts it whole", async () => {
    const text = "\uFEFF" +
      Array.from({ length: 300_000 }, (_, i) => `word${i} 你好，`).join("\r\n");
    using tokenizer = new Tokenizer("cl100k_base");
    for (const side of ["head", "tail", "middle"] as const) {
      for (const max of [100, 700_000]) {
        const args = ["truncate", "-e", "cl100k_base", "--side", side, "--max", String(max)];
        const { stdout } = await sluice(args, text);
        assert.ok(stdout === tokenizer.truncate(text, max, { side }), `${side} ${max}`);
      }
    }
  });

  it("prints JSON Lines, and continues after a bad file", async () => {
    using files = new Files({ "a.txt": FIVE, "b.txt": Uint8Array.of(0xff), "c.txt": "x" });
    const args = ["truncate", "--max", "2", "--json", "a.txt", "b.txt", "c.txt"];
    const { code, stdout, stderr } = await sluice(args, "", files.directory);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "sluice: b.txt: not valid UTF-8 at byte 0\nsluice: 1 of 3 inputs failed\n",
    );
    assert.deepEqual(parse(stdout), [
      { path: "a.txt", tokens: 2, truncated: true, text: "one two" },
      { path: "c.txt", tokens: 1, truncated: false, text: "x" },
    ]);
    const { code: usage, stderr: why } = await sluice(["truncate"], "x");
    assert.equal(usage, 2);
    assert.match(why, /--max <tokens>/);
  });
});

describe("sluice chunks", () => {
  it("prints each chunk with its offsets in bytes", async () => {
    using files = new Files({
      "d/é.txt": "naïve 你好 one two three 👋🏽 four",
      "d/z.txt": "",
      "e.bin": FIVE,
    });
    using tokenizer = new Tokenizer("o200k_base");
    const args = ["chunks", "--size", "4", "--overlap", "1", "d", "e.bin"];
    const { code, stdout, stderr } = await sluice(args, "", files.directory);
    assert.deepEqual([code, stderr], [0, ""]);
    const text = "naïve 你好 one two three 👋🏽 four";
    const expected = [["d/é.txt", text], ["e.bin", FIVE]].flatMap(([path, text]) =>
      tokenizer.chunks(text!, { size: 4, overlap: 1 }).map(({ start, end, tokens }, index) => ({
        path,
        index,
        start: Buffer.byteLength(text!.slice(0, start)),
        end: Buffer.byteLength(text!.slice(0, end)),
        tokens,
        text: text!.slice(start, end),
      }))
    );
    assert.ok(expected.length > 4);
    assert.deepEqual(parse(stdout), expected);
    const bare = await sluice([...args, "--no-text"], "", files.directory);
    assert.deepEqual(parse(bare.stdout), expected.map(({ text: _, ...rest }) => rest));
  });

  it("reports wrong sizes, files and characters", async () => {
    const usage: [args: string[], message: RegExp][] = [
      [[], /--size <tokens>/],
      [["--size", "0"], /--size must be at least 1/],
      [["--size", "5", "--overlap", "5"], /--overlap must be less than --size 5, and is 5/],
      [["--size", "x"], /whole number/],
    ];
    for (const [args, message] of usage) {
      const { code, stderr } = await sluice(["chunks", ...args], FIVE);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
    using files = new Files({ "a.txt": "𒀀", "b.txt": Uint8Array.of(0x61, 0xff), "c.txt": "one" });
    const args = ["chunks", "--size", "1", "a.txt", "b.txt", "c.txt"];
    const { code, stdout, stderr } = await sluice(args, "", files.directory);
    assert.equal(code, 1);
    assert.match(stderr, /^sluice: a\.txt: size must be at least \d .*\n.* b\.txt: .* at byte 1\n/);
    assert.equal(parse(stdout).length, 1);
  });
});

describe("a word that is too long for the buffer", () => {
  const SIZE = 1_300_000;
  let seed = 7;
  const random = (n: number) => (seed = seed * 48271 % 0x7fffffff) % n;
  /** Characters in no order, again and again, which is no multiple of what is read at once. */
  const from = (alphabet: string, length = SIZE): string => {
    let block = "";
    while (block.length < 100_003) block += alphabet[random(alphabet.length)];
    return block.repeat(Math.ceil(length / block.length));
  };
  const han = String.fromCharCode(...Array.from({ length: 5000 }, () => 0x5000 + random(0x3fff)));

  /** What comes behind each would show that a pattern had lost its place. */
  const TEXTS: Readonly<Record<string, string>> = {
    small: `say ${from("abcdefghijklmnopqrstuvwxyz")}Zz's`,
    capitals: `b${from("ACGT")}xyz`,
    numbers: `q1${from("0123456789")}x`,
    punctuation: `a\n${from("!#$%&()*+,-.:;<=>?@[]^_{|}~\"'")}\n\n//s`,
    zeros: `a line\n${"\0".repeat(SIZE)}more`,
    "equals signs": `= ${"=".repeat(SIZE)}\n=a`,
    slashes: `a!${"/".repeat(SIZE)}\n/x`,
    spaces: `a${" ".repeat(SIZE)}\n x`,
    "line ends": `a${"\n".repeat(SIZE)}  x`,
    Chinese: `x ${han.repeat(90)}DEf`,
    "one letter": `${"x".repeat(SIZE)}y`,
  };
  /** Where it depends on what comes before; such a one is kept whole. */
  const WHOLE: Readonly<Record<string, string>> = {
    "capitals behind letters without case": `中${from("ACGT")}d`,
    "slashes behind a line end": `!\n${"/".repeat(SIZE)}!!`,
    "Chinese behind small letters": `ab${han.repeat(90)}DEf`,
    "line ends behind punctuation": `a!${"\n".repeat(SIZE)}  \nx`,
    "spaces behind a line end": `a\n${" ".repeat(SIZE)}\nb`,
  };

  async function pieces(
    file: string,
    tokenizer: Tokenizer,
  ): Promise<{ ids: Uint32Array[]; longest: number }> {
    const ids: Uint32Array[] = [];
    let longest = 0;
    await using input = await Input.open(textPath(file));
    for await (const { bytes } of input.pieces(new TokenCutter(tokenizer))) {
      ids.push(tokenizer.encode(bytes));
      longest = Math.max(longest, bytes.length);
    }
    return { ids, longest };
  }

  for (const encoding of ENCODINGS.filter((name) => !/edit|harmony/.test(name))) {
    it(`is cut where no token changes, in ${encoding}`, async () => {
      using files = new Files({ ...TEXTS, ...WHOLE });
      using tokenizer = new Tokenizer(encoding);
      for (const [name, text] of Object.entries({ ...TEXTS, ...WHOLE })) {
        const { ids, longest } = await pieces(files.path(name), tokenizer);
        const whole = tokenizer.encode(text);
        const joined = Buffer.concat(
          ids.map((ids) => Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)),
        );
        const expected = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
        assert.equal(Buffer.compare(joined, expected), 0, name);
        assert.equal(longest < SIZE, name in TEXTS, name);
      }
    });
  }

  it("is counted in the memory of a short one", { timeout: 60_000 }, async () => {
    const word = "thequickbrownfoxjumpsoverthelazydog".repeat(1_200_000);
    using files = new Files({ "word.txt": word });
    using tokenizer = new Tokenizer("o200k_base");
    let longest = 0;
    await using input = await Input.open(textPath(files.path("word.txt")));
    for await (const { bytes } of input.pieces(new TokenCutter(tokenizer))) {
      longest = Math.max(longest, bytes.length);
    }
    assert.ok(longest <= 1 << 20, String(longest));
    const { code, stdout } = await sluice(["count", "word.txt"], "", files.directory);
    assert.deepEqual([code, stdout], [0, `${tokenizer.count(word)}  word.txt\n`]);
  });

  it("is cut between letters and numbers first, as base64 has them", async () => {
    using files = new Files({ "a.txt": from("ABCXYZabcxyz0123+/") });
    using tokenizer = new Tokenizer("cl100k_base");
    assert.ok((await pieces(files.path("a.txt"), tokenizer)).longest <= 1 << 20);
  });

  it("is refused if it contains something that is refused", async () => {
    const bad = Buffer.from("x".repeat(SIZE));
    bad[SIZE - 10] = 0xff;
    using files = new Files({ "bad.txt": bad, "special.txt": `<|endoftext|>${"x".repeat(SIZE)}` });
    const args = ["count", "--special", "error", "bad.txt", "special.txt"];
    const { code, stderr } = await sluice(args, "", files.directory);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^sluice: bad\.txt: not valid UTF-8 at byte 1299990\n.*<\|endoftext\|> at byte 0\n/,
    );
  });
});
