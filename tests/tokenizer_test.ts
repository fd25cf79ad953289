import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { get_encoding } from "tiktoken";
import { ENCODINGS, Tokenizer } from "../mod.ts";
import { codePoint } from "./fixtures/texts.ts";

const utf8 = new TextEncoder();

/** A string after a round trip through UTF-8: lone surrogates are U+FFFD. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** Texts that cross the splitters' class boundaries often, with lone surrogates among them. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(..." \n\r\t'/aZsſ0.🙂\u00a0\u0085\ufeff\u0301中Ǆ"),
    fc.constantFrom("'s", "'LL", "  ", "\r\n", "\ud83d", "\ude00", "<|endoftext|>", "亚洲AV"),
    fc.string({ minLength: 1, maxLength: 3, unit: codePoint }),
  ),
  maxLength: 40,
});

describe("Tokenizer", () => {
  it("does what docs/counting.md shows", () => {
    using tokenizer = Tokenizer.forModel("gpt-5");
    assert.equal(tokenizer.encoding, "o200k_base");
    assert.equal(tokenizer.exact, true);
    assert.equal(tokenizer.count("Hello, world!"), 4);
    assert.deepEqual([...tokenizer.encode("Hello, world!")], [13225, 11, 2375, 0]);
    assert.equal(tokenizer.decode([13225, 11, 2375, 0]), "Hello, world!");
  });

  it("returns empty results for empty inputs", () => {
    using tokenizer = new Tokenizer("cl100k_base");
    assert.equal(tokenizer.count(""), 0);
    assert.deepEqual(tokenizer.encode(""), new Uint32Array(0));
    assert.equal(tokenizer.decode([]), "");
    assert.deepEqual(tokenizer.countBatch([]), new Uint32Array(0));
    const { ids, offsets } = tokenizer.encodeBatch([]);
    assert.deepEqual([ids.length, [...offsets]], [0, [0]]);
    assert.deepEqual([...tokenizer.encodeBatch(["", ""]).offsets], [0, 0, 0]);
    assert.equal(tokenizer.isWithinLimit("", 0), true);
  });

  it("equals tiktoken on any text", () => {
    for (const name of ENCODINGS) {
      if (name === "o200k_harmony") continue; // npm tiktoken does not have it; goldens cover it
      const oracle = get_encoding(name);
      using tokenizer = new Tokenizer(name);
      fc.assert(
        fc.property(anyText, (text) => {
          const expected = oracle.encode_ordinary(wellFormed(text));
          assert.deepEqual([...tokenizer.encode(text)], [...expected]);
        }),
        { numRuns: 300 },
      );
      oracle.free();
    }
  });

  it("restores any text, with lone surrogates as U+FFFD", () => {
    for (const name of ENCODINGS) {
      using tokenizer = new Tokenizer(name);
      fc.assert(
        fc.property(anyText, (text) => {
          const ids = tokenizer.encode(text);
          assert.equal(tokenizer.decode(ids), wellFormed(text));
          assert.deepEqual(tokenizer.decodeBytes(ids), utf8.encode(text));
        }),
        { numRuns: 200 },
      );
    }
  });

  it("writes as many ids as fit to a given array", () => {
    for (const encoding of ENCODINGS) {
      using tokenizer = new Tokenizer(encoding);
      fc.assert(fc.property(anyText, fc.nat(80), fc.boolean(), (text, room, isBytes) => {
        const expected = tokenizer.encode(text);
        const memory = new Uint32Array(room + 2).fill(7);
        const ids = memory.subarray(1, room + 1);
        const written = tokenizer.encodeInto(isBytes ? utf8.encode(text) : text, ids);
        assert.equal(written, expected.length);
        const fit = Math.min(room, written);
        assert.deepEqual([...ids.subarray(0, fit)], [...expected.subarray(0, fit)]);
        assert.deepEqual([memory[0], memory[room + 1]], [7, 7]);
      }));
    }
  });

  it("counts what it encodes, from strings and from bytes, in every mode", () => {
    for (const special of ["text", "allow"] as const) {
      using tokenizer = new Tokenizer("o200k_base", { special });
      fc.assert(fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text);
        assert.equal(tokenizer.count(text), ids.length);
        assert.deepEqual(tokenizer.encode(utf8.encode(text)), ids);
        assert.equal(tokenizer.count(utf8.encode(text)), ids.length);
      }));
    }
  });

  it("compares with limits exactly", () => {
    using tokenizer = new Tokenizer("o200k_base");
    fc.assert(fc.property(anyText, (text) => {
      const tokens = tokenizer.count(text);
      for (const limit of [0, 1, tokens - 1, tokens, tokens + 1, Infinity]) {
        if (limit < 0) continue;
        assert.equal(tokenizer.isWithinLimit(text, limit), tokens <= limit, `limit ${limit}`);
        assert.equal(tokenizer.isWithinLimit(utf8.encode(text), limit), tokens <= limit);
      }
    }));
  });

  it("iterates over the ids of each text of a batch, as views", async () => {
    using tokenizer = new Tokenizer("o200k_base");
    const texts = ["Hello, world!", "", "naïve 🙂", "Hello"];
    const encoded = texts.map((text) => tokenizer.encode(text));
    // A long text is tokenized by a job, a short one at once.
    const long = ["word ".repeat(20_000), ...texts];
    const batches = [
      [encoded, tokenizer.encodeBatch(texts)],
      [encoded, await tokenizer.encodeBatchAsync(texts)],
      [[tokenizer.encode(long[0]!), ...encoded], await tokenizer.encodeBatchAsync(long)],
      [[], tokenizer.encodeBatch([])],
    ] as const;
    for (const [expected, batch] of batches) {
      assert.deepEqual([...batch], expected);
      assert.deepEqual(Array.from(batch, ({ length }) => length), expected.map((it) => it.length));
      assert.equal(batch.length, expected.length);
      for (const ids of batch) assert.equal(ids.buffer, batch.ids.buffer);
      for (let i = -expected.length - 2; i <= expected.length + 1; i++) {
        assert.deepEqual(batch.at(i), expected.at(i), `at ${i}`);
      }
      assert.equal(batch.at(0.5), undefined);
    }
  });

  it("equals the single calls for a batch", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const mixed = fc.array(fc.oneof(anyText, anyText.map((text) => utf8.encode(text))));
    fc.assert(fc.property(fc.oneof(fc.array(anyText), mixed), (texts) => {
      const { ids, offsets } = tokenizer.encodeBatch(texts);
      const counts = tokenizer.countBatch(texts);
      assert.equal(offsets.length, texts.length + 1);
      assert.equal(offsets[texts.length], ids.length);
      texts.forEach((text, i) => {
        assert.deepEqual(ids.slice(offsets[i], offsets[i + 1]), tokenizer.encode(text));
        assert.equal(counts[i], tokenizer.count(text));
      });
    }));
  });

  it("does not fuse lone surrogates of neighbouring texts", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const { ids, offsets } = tokenizer.encodeBatch(["a\ud83d", "\ude00b"]);
    assert.equal(tokenizer.decode(ids.subarray(offsets[0], offsets[1])), "a\ufffd");
    assert.equal(tokenizer.decode(ids.subarray(offsets[1], offsets[2])), "\ufffdb");
  });

  it("reads special tokens as each call says", () => {
    using tokenizer = new Tokenizer("cl100k_base");
    const text = "hello <|endoftext|> x";
    assert.deepEqual([...tokenizer.encode(text, { special: "allow" })], [15339, 220, 100257, 865]);
    assert.equal(tokenizer.encode(text).includes(100257), false);
    assert.throws(() => tokenizer.count(text, { special: "error" }), {
      name: "SluiceError",
      code: "SLUICE_SPECIAL_TOKEN",
      message: /<\|endoftext\|> at byte 6/,
    });
    using strict = new Tokenizer("cl100k_base", { special: "error" });
    assert.throws(() => strict.countBatch(["fine", text]), { message: /^text 1: / });
    assert.throws(() => strict.isWithinLimit(text, 1000), { code: "SLUICE_SPECIAL_TOKEN" });
    assert.equal(strict.count(text, { special: "allow" }), 4);
  });

  it("keeps a byte order mark, in and out", () => {
    using tokenizer = new Tokenizer("o200k_base");
    assert.deepEqual([...tokenizer.encode("\uFEFFhi")], [5574, 3686]);
    assert.equal(tokenizer.decode([5574, 3686]), "\uFEFFhi");
  });

  it("decodes parts of a character to U+FFFD, independently of the next call", () => {
    using tokenizer = new Tokenizer("cl100k_base");
    const [first] = tokenizer.encode("👍");
    assert.equal(tokenizer.decode([first!]), "\ufffd");
    assert.equal(tokenizer.decode(tokenizer.encode("👍")), "👍");
  });

  it("takes a megabyte of one character, which breaks other tokenizers", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const unit of [" ", "\t", "\n", "a", "_", "1", "中", "\u0301", "'s", "\r\n "]) {
      const text = unit.repeat(Math.ceil(1e6 / unit.length));
      const ids = tokenizer.encode(text);
      assert.equal(tokenizer.count(text), ids.length);
      assert.equal(tokenizer.decode(ids), text);
    }
  });

  it("takes 100 MB of text", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const line = "The quick brown fox jumps over the lazy dog. Größe: 中文!\n";
    const times = Math.ceil(1e8 / utf8.encode(line).length);
    const tokens = tokenizer.count(line.repeat(times));
    assert.equal(tokens, times * tokenizer.count(line));
    assert.equal(tokenizer.count("small again"), 2);
  });
});
