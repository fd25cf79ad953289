/** Strings to UTF-8: short and long, in one byte per unit or in two inside the runtime. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { Tokenizer } from "../mod.ts";
import { writeShort } from "../src/short_string.ts";
import { TextBuffer } from "../src/text_buffer.ts";

const utf8 = new TextEncoder();

/** Units of one kind each. */
const KINDS = ["ascii ", "é", "ÿ\u0080", "—", "й", "中", "🙂", "\ud83d", "\ude00", "\0", "\uffff"];

/** Lengths around the thresholds between the algorithms. */
const LENGTHS = [1, 12, 31, 32, 33, 4_999, 5_000, 9_999, 10_000, 1 << 17];

/** Runs of a kind, some of them long. */
const longText = fc.array(
  fc.tuple(
    fc.constantFrom(...KINDS),
    fc.constantFrom(...LENGTHS.slice(0, -1)),
    fc.integer({ min: -2, max: 2 }),
  ),
  { minLength: 1, maxLength: 5 },
).map((runs) => runs.map(([kind, length, more]) => fill(kind, length + more)).join(""));

function fill(kind: string, length: number): string {
  return kind.repeat(Math.ceil(Math.max(0, length) / kind.length)).slice(0, Math.max(0, length));
}

function written(buffer: TextBuffer, text: string, offset = 0): Uint8Array {
  const length = buffer.write(text, offset);
  return buffer.bytes.subarray(offset, offset + length);
}

describe("TextBuffer", () => {
  it("equals TextEncoder", () => {
    const buffer = new TextBuffer();
    // Only after some long texts another algorithm is used.
    for (let i = 0; i < 30; i++) buffer.write(fill("中", 100_000));
    fc.assert(
      fc.property(longText, fc.constantFrom(0, 1, 7, 2_000_000), (text, offset) => {
        assert.deepEqual(written(buffer, text, offset), utf8.encode(text));
      }),
      { numRuns: 300 },
    );
  });

  it("writes short strings of any units at any offset", () => {
    const buffer = new TextBuffer();
    const unit = fc.oneof(
      fc.constantFrom("a", "é", "中", "🙂", "\0", "\ud83d", "\ude00", "\ufeff"),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    );
    const short = fc.array(unit, { maxLength: 80 }).map((units) => units.join(""));
    fc.assert(
      fc.property(short, short, fc.integer({ min: 0, max: 200 }), (text, next, offset) => {
        const length = buffer.write(text, offset);
        assert.deepEqual(written(buffer, next, offset + length), utf8.encode(next));
        assert.deepEqual(buffer.bytes.slice(offset, offset + length), utf8.encode(text));
        // Only one of the runtimes does this.
        const bytes = new Uint8Array(offset + 3 * text.length);
        const end = offset + writeShort(text, bytes, offset);
        assert.deepEqual(bytes.subarray(offset, end), utf8.encode(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("cuts no surrogate pair when it copies a long text in parts", () => {
    const buffer = new TextBuffer();
    for (const kind of ["🙂", "\ud83d", "\ude00", "中"]) {
      for (const length of [(1 << 17) - 1, 1 << 17, (1 << 17) + 1, (1 << 18) + 3]) {
        for (const before of ["", "x", "й"]) {
          const text = before + fill(kind, length);
          const bytes = written(buffer, text);
          // Not deepEqual, which takes seconds for this many.
          assert.ok(
            Buffer.from(bytes).equals(utf8.encode(text)),
            `${JSON.stringify(kind)} ${length}`,
          );
        }
      }
    }
  });

  it("keeps the bytes before the offset", () => {
    const buffer = new TextBuffer();
    const first = buffer.write("before");
    for (const kind of ["中", "é", "a"]) {
      const text = fill(kind, 1_000_000);
      const length = buffer.write(text, first);
      assert.equal(length, utf8.encode(text).length);
      assert.equal(new TextDecoder().decode(buffer.bytes.subarray(0, first)), "before");
    }
  });

  it("writes long texts to the same memory, and short ones between them to a small one", () => {
    const buffer = new TextBuffer();
    const small = buffer.bytes;
    const long = fill("a", 2_000_000);
    buffer.write(long);
    const large = buffer.bytes;
    assert.notEqual(large, small);
    for (const kind of ["é", "a"]) {
      buffer.write(fill(kind, 10));
      assert.equal(buffer.bytes, small);
      assert.deepEqual(written(buffer, long).subarray(0, 9), utf8.encode("aaaaaaaaa"));
      assert.equal(buffer.bytes, large);
    }
  });

  it("allocates once for a long text that is nearly ASCII", () => {
    const text = ("a".repeat(20) + "é").repeat(100_000);
    const buffer = new TextBuffer();
    const length = buffer.write(text);
    assert.equal(length, 2_200_000);
    assert.ok(buffer.bytes.length < 1.2 * length, `${buffer.bytes.length}`);
  });

  it("takes strings that were joined, sliced and parsed", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const kind of KINDS) {
      const text = fill(kind, 12_000);
      const joined = Array.from({ length: 12 }, (_, i) => text.slice(1_000 * i, 1_000 * i + 1_000))
        .reduce((all, part) => all + part, "");
      const cut = `<${text}>`.slice(1, -1);
      const parsed = JSON.parse(JSON.stringify(text)) as string;
      const expected = tokenizer.count(utf8.encode(text));
      for (const same of [text, joined, cut, parsed]) assert.equal(tokenizer.count(same), expected);
    }
  });
});
