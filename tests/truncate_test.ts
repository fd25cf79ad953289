import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ENCODINGS, Tokenizer } from "../mod.ts";
import { anyText, isEdge } from "./fixtures/texts.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

const SIDES = ["head", "tail", "middle"] as const;

/** Where each token of a text ends, cutting no character, by decoding ever longer prefixes. */
function ends(tokenizer: Tokenizer, text: string): number[] {
  const ids = tokenizer.encode(text);
  const utf8 = new TextEncoder().encode(text);
  return Array.from(ids, (_, i) => {
    let length = tokenizer.decodeBytes(ids.subarray(0, i + 1)).length;
    while (length < utf8.length && (utf8[length]! & 0xC0) === 0x80) length--;
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(utf8.subarray(0, length)).length;
  });
}

describe("truncate", () => {
  it("keeps the marker that it is given within the limit", () => {
    using tokenizer = Tokenizer.forModel("gpt-5");
    const text = "one two three four five";
    assert.equal(tokenizer.truncate(text, 3, { side: "middle" }), "one… five");
    assert.equal(tokenizer.truncate(text, 4, { side: "middle", marker: "" }), "one two four five");
    assert.equal(tokenizer.truncate(text, 3, { marker: "…" }), "one two…");
    assert.equal(tokenizer.truncate(text, 3, { side: "tail", marker: "…" }), "… four five");
  });

  it("is within the limit, keeps the right parts, and cuts no character", () => {
    for (const name of ENCODINGS) {
      using tokenizer = new Tokenizer(name);
      fc.assert(
        fc.property(
          anyText,
          fc.nat(40),
          fc.constantFrom(...SIDES),
          fc.constantFrom("", "…", " [cut] ", undefined),
          (text, limit, side, marker) => {
            const options = marker === undefined ? { side } : { side, marker };
            const kept = tokenizer.truncate(text, limit, options);
            assert.ok(tokenizer.count(kept) <= limit, `${tokenizer.count(kept)} > ${limit}`);
            if (tokenizer.count(text) <= limit) return assert.equal(kept, text);
            const mark = marker ?? (side === "middle" ? "…" : "");
            if (kept === "") return;
            if (side === "head") {
              assert.ok(kept.endsWith(mark));
              const end = kept.length - mark.length;
              assert.equal(kept.slice(0, end), text.slice(0, end));
              assert.ok(isEdge(text, end));
            } else if (side === "tail") {
              assert.ok(kept.startsWith(mark));
              const start = text.length - (kept.length - mark.length);
              assert.equal(kept.slice(mark.length), text.slice(start));
              assert.ok(isEdge(text, start));
            } else {
              const length = kept.length - mark.length;
              const isCut = (end: number): boolean =>
                kept === text.slice(0, end) + mark + text.slice(text.length - (length - end)) &&
                isEdge(text, end) && isEdge(text, text.length - (length - end));
              assert.ok(Array.from({ length: length + 1 }, (_, end) => end).some(isCut), kept);
            }
          },
        ),
        { numRuns: 300 },
      );
    }
  });

  it("keeps the most tokens of the head and the tail that it can", () => {
    using tokenizer = new Tokenizer("o200k_base");
    fc.assert(fc.property(anyText, fc.nat(30), (text, limit) => {
      if (/[^ ]{900}/.test(text)) return;
      const places = [0, ...ends(tokenizer, text)];
      const tokens = places.length - 1;
      if (tokens <= limit) return;
      const fits = (part: string): boolean => tokenizer.count(part) <= limit;
      const heads = places.slice(0, limit + 1).map((end) => text.slice(0, end));
      assert.equal(tokenizer.truncate(text, limit), heads.findLast(fits));
      const tails = places.slice(tokens - limit).map((start) => text.slice(start));
      assert.equal(tokenizer.truncate(text, limit, { side: "tail" }), tails.find(fits));
    }));
  });

  it("examines only the ends of a long text, and still fills the limit", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const words = "The quick brown fox jumps over the lazy dog. Größe: 中文!\n".repeat(50_000);
    for (const text of [words, " ".repeat(1e6) + "x", "a".repeat(1e6), "🙂".repeat(5e5)]) {
      for (const side of SIDES) {
        const kept = tokenizer.truncate(text, 1000, { side });
        const tokens = tokenizer.count(kept);
        assert.ok(tokens <= 1000 && tokens > 990, `${tokens} of ${side}`);
      }
    }
    assert.equal(tokenizer.truncate(words, Infinity), words);
  });

  it("returns the empty string if nothing fits", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const side of SIDES) {
      assert.equal(tokenizer.truncate("hello world", 0, { side }), "");
      assert.equal(tokenizer.truncate("", 0, { side }), "");
      assert.equal(tokenizer.truncate("🧚🏽🧚🏽", 1, { side, marker: "" }), "");
    }
    const marker = "one two three";
    assert.equal(tokenizer.truncate("hello big wide world", 2, { marker }), "");
  });

  it("never cuts a special token that is allowed, and counts it as one", () => {
    using tokenizer = new Tokenizer("o200k_harmony", { special: "allow" });
    const text = "a<|start|>b<|endofprompt|><|reserved_200018|>c";
    assert.equal(tokenizer.truncate(text, 4), "a<|start|>b<|endofprompt|>");
    assert.equal(tokenizer.truncate(text, 2, { side: "tail" }), "<|reserved_200018|>c");
    assert.throws(() => tokenizer.truncate(text, 2, { special: "error" }), {
      code: "SLUICE_SPECIAL_TOKEN",
    });
  });

  it("refuses wrong arguments", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const limit of [NaN, -1, 1.5, -Infinity]) {
      assert.throws(() => tokenizer.truncate("x", limit), {
        name: "RangeError",
        message: `limit must be a non-negative integer or Infinity, not ${limit}`,
      });
    }
    assert.throws(() => tokenizer.truncate("x", any("3")), /limit must be a number, not "3"/);
    assert.throws(() => tokenizer.truncate(any(null), 3), /text must be a string, not null/);
    assert.throws(
      () => tokenizer.truncate(any(new Uint8Array(2)), 3),
      /text must be a string, not an instance of Uint8Array/,
    );
    for (const side of ["left", "constructor", 1, null]) {
      assert.throws(() => tokenizer.truncate("x", 3, { side: any(side) }), /side must be "head"/);
    }
    assert.throws(() => tokenizer.truncate("x", 3, { marker: any(1) }), /marker must be a string/);
    assert.throws(() => tokenizer.truncate("x", 3, { special: any("no") }), /special must be/);
    tokenizer.close();
    assert.throws(() => tokenizer.truncate("x", 3), { code: "SLUICE_DISPOSED" });
  });
});
