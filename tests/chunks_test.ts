import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ENCODINGS, type TextChunk, Tokenizer } from "../mod.ts";
import { anyText, isEdge } from "./fixtures/texts.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

/** What holds for the chunks of any text. */
function check(tokenizer: Tokenizer, text: string, size: number, overlap: number): TextChunk[] {
  const chunks = tokenizer.chunks(text, { size, overlap });
  let last: TextChunk = { start: -1, end: 0, tokens: 0 };
  for (const chunk of chunks) {
    const { start, end, tokens } = chunk;
    assert.ok(start > last.start && start <= last.end && end > last.end, "progress, and no gap");
    assert.ok(isEdge(text, start) && isEdge(text, end), "no character cut");
    assert.equal(tokens, tokenizer.count(text.slice(start, end)));
    assert.ok(tokens <= size);
    last = chunk;
  }
  assert.equal(last.end, text.length);
  return chunks;
}

describe("chunks", () => {
  it("has no chunk of an empty text, and one of a text that fits", () => {
    using tokenizer = Tokenizer.forModel("text-embedding-3-small");
    assert.deepEqual(tokenizer.chunks("", { size: 3 }), []);
    const text = "one two three four five";
    assert.deepEqual(tokenizer.chunks(text, { size: 5 }), [{ start: 0, end: 23, tokens: 5 }]);
  });

  it("covers any text in chunks of at most the stated size", () => {
    for (const name of ENCODINGS) {
      using tokenizer = new Tokenizer(name);
      fc.assert(
        fc.property(anyText, fc.integer({ min: 12, max: 60 }), fc.nat(100), (text, size, share) => {
          check(tokenizer, text, size, Math.floor(size * share / 101));
        }),
        { numRuns: 200 },
      );
    }
  });

  it("splits any text into the smallest chunks, or names the character that does not fit", () => {
    using tokenizer = new Tokenizer("o200k_base");
    fc.assert(fc.property(anyText, fc.integer({ min: 1, max: 5 }), fc.nat(4), (text, size, n) => {
      const overlap = Math.min(n, size - 1);
      const most = Math.max(0, ...Array.from(text, (character) => tokenizer.count(character)));
      try {
        check(tokenizer, text, size, overlap);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
        assert.ok(most > size);
        const at = Number(/" at (\d+) alone/.exec(error.message)?.[1]);
        assert.ok(tokenizer.count(String.fromCodePoint(text.codePointAt(at)!)) > size);
      }
    }));
    assert.throws(() => tokenizer.chunks("ab 🧚", { size: 1 }), {
      name: "RangeError",
      message: 'size must be at least 3 for this text, not 1: "🧚" at 3 alone has that many tokens',
    });
  });

  it("fills its chunks and overlaps them as the options say", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const text = "The quick brown fox jumps over the lazy dog. ".repeat(300);
    for (const [size, overlap] of [[100, 0], [100, 25], [100, 99], [7, 3], [1, 0]] as const) {
      const chunks = check(tokenizer, text, size, overlap);
      chunks.slice(1).forEach(({ start }, i) => {
        const shared = tokenizer.count(text.slice(start, chunks[i]!.end));
        assert.ok(shared <= overlap, `${shared} > ${overlap}`);
        assert.ok(shared >= overlap - 1, `${shared} < ${overlap}`);
      });
      for (const { tokens } of chunks.slice(0, -1)) assert.ok(tokens >= size - 1);
    }
  });

  it("takes a megabyte of any character", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const unit of [" ", "a", "🙂", "中", "1", "\u0301", "'s", "A中", "hello world "]) {
      const text = unit.repeat(Math.ceil(1e6 / unit.length));
      check(tokenizer, text, 512, 64);
    }
  });

  it("refuses wrong arguments", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const size of [0, -1, 1.5, NaN, Infinity]) {
      assert.throws(() => tokenizer.chunks("x", { size }), {
        name: "RangeError",
        message: `size must be an integer of at least 1, not ${size}`,
      });
    }
    for (const overlap of [3, 4, -1, 0.5, NaN, Infinity]) {
      assert.throws(() => tokenizer.chunks("x", { size: 3, overlap }), {
        name: "RangeError",
        message: `overlap must be a non-negative integer less than size 3, not ${overlap}`,
      });
    }
    assert.throws(
      () => tokenizer.chunks("x", { size: any("3") }),
      /size must be a number, not "3"/,
    );
    assert.throws(() => tokenizer.chunks("x", any({})), /size must be a number, not undefined/);
    assert.throws(() => tokenizer.chunks("x", any(undefined)), /options must be an object with/);
    assert.throws(() => tokenizer.chunks("x", any(3)), /options must be an object with a size/);
    assert.throws(() => tokenizer.chunks("x", { size: 3, overlap: any("1") }), /overlap must be a/);
    assert.throws(() => tokenizer.chunks(any(1), { size: 3 }), /text must be a string, not 1/);
    assert.throws(() => tokenizer.chunks("<|endoftext|>", { size: 3, special: "error" }), {
      code: "SLUICE_SPECIAL_TOKEN",
    });
    tokenizer.close();
    assert.throws(() => tokenizer.chunks("x", { size: 3 }), { code: "SLUICE_DISPOSED" });
  });
});
