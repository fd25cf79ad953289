/** Results that share memory, with the option `pooled`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Tokenizer } from "../mod.ts";
import { library } from "../src/ffi/load.ts";

const utf8 = new TextEncoder();
const POOLED = { pooled: true } as const;

describe("encode with pooled results", () => {
  const tokenizer = new Tokenizer("o200k_base");

  it("returns the same ids as without it, and never overwrites them", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 400 }), { maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.boolean(), (texts, asBytes) => {
        const of = (text: string) => asBytes ? utf8.encode(text) : text;
        const pooled = texts.map((text) => tokenizer.encode(of(text), POOLED));
        const own = texts.map((text) => tokenizer.encode(text));
        assert.deepEqual(pooled, own);
      }),
      { numRuns: 200 },
    );
  });

  it("shares memory only if that saves time, and not for long results", () => {
    const ids = [1, 2, 3].map((i) => tokenizer.encode(`text ${i}`, POOLED));
    const buffers = new Set(ids.map(({ buffer }) => buffer));
    assert.equal(buffers.size, library().isArrayCheap ? 3 : 1);
    const long = tokenizer.encode("a1".repeat(200), POOLED);
    assert.equal(long.buffer.byteLength, 4 * long.length);
    for (const pooled of [false, undefined]) {
      // The type does not have it.
      const own = tokenizer.encode("text", { pooled } as { pooled?: boolean });
      assert.equal(own.buffer.byteLength, 4 * own.length);
    }
  });

  it("keeps earlier results when a slab is full", () => {
    const kept = Array.from({ length: 3_000 }, (_, i) => tokenizer.encode(`number ${i}`, POOLED));
    kept.forEach((ids, i) => assert.equal(tokenizer.decode(ids), `number ${i}`));
  });

  it("obeys the other options, and refuses what is not a boolean", () => {
    const special = tokenizer.encode("<|endoftext|>", { pooled: true, special: "allow" });
    assert.deepEqual([...special], [199_999]);
    for (const pooled of ["yes", 1, null]) {
      assert.throws(() => tokenizer.encode("x", { pooled } as never), {
        name: "TypeError",
        message: /^pooled must be a boolean, not /,
      });
    }
  });
});
