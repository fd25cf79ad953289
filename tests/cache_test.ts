import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { cacheStats, ENCODINGS, SluiceError, Tokenizer } from "../mod.ts";
import "./support/web_worker.ts";

/** One cache serves the process, and other test files may have used it: only differences count. */
function used(work: () => void): { hits: number; misses: number } {
  const before = cacheStats();
  work();
  const after = cacheStats();
  return { hits: after.hits - before.hits, misses: after.misses - before.misses };
}

/** A text that no other test counts. */
let made = 0;
function fresh(length: number): string {
  made++;
  return `${made} ${"words of a chat ".repeat(Math.ceil(length / 16))}`.slice(0, length);
}

function inWorker(texts: string[]): Promise<number[]> {
  const url = new URL("./fixtures/cache_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  return new Promise<number[]>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(texts);
  }).finally(() => worker.terminate());
}

describe("the count cache", () => {
  it("finds a text the second time, as a string, as bytes and in a batch", () => {
    using tokenizer = new Tokenizer("o200k_base", { cache: true });
    using plain = new Tokenizer("o200k_base");
    const text = fresh(1_000);
    const bytes = new TextEncoder().encode(text);
    const expected = plain.count(text);
    const first = used(() => assert.equal(tokenizer.count(text), expected));
    assert.deepEqual(first, { hits: 0, misses: 1 });
    const again = used(() => {
      assert.equal(tokenizer.count(text), expected);
      assert.equal(tokenizer.count(bytes), expected);
      assert.deepEqual([...tokenizer.countBatch([text, "short", bytes])], [expected, 1, expected]);
    });
    assert.deepEqual(again, { hits: 4, misses: 0 });
  });

  it("distinguishes encodings and modes", () => {
    const text = `${fresh(600)}<|endoftext|>`;
    for (const encoding of ENCODINGS) {
      using cached = new Tokenizer(encoding, { cache: true });
      using plain = new Tokenizer(encoding);
      for (const special of ["text", "allow"] as const) {
        const expected = plain.count(text, { special });
        for (let i = 0; i < 2; i++) assert.equal(cached.count(text, { special }), expected);
      }
      assert.throws(
        () => cached.count(text, { special: "error" }),
        (error) => error instanceof SluiceError && error.code === "SLUICE_SPECIAL_TOKEN",
      );
    }
  });

  it("is not used for short texts, and not by default", () => {
    using cached = new Tokenizer("o200k_base", { cache: true });
    using plain = new Tokenizer("o200k_base");
    const nothing = { hits: 0, misses: 0 };
    assert.deepEqual(used(() => cached.count(fresh(255))), nothing);
    assert.deepEqual(used(() => cached.count(fresh(256))), { hits: 0, misses: 1 });
    assert.deepEqual(used(() => plain.count(fresh(1_000))), nothing);
    assert.deepEqual(used(() => plain.countBatch([fresh(1_000)])), nothing);
  });

  it("returns the same counts as without it, whatever was counted before", () => {
    using cached = new Tokenizer("cl100k_base", { cache: true });
    using plain = new Tokenizer("cl100k_base");
    const text = fc.tuple(fc.nat(20), fc.constantFrom("abc ", "日本語", "é🙂 ", "\ud800x")).map(
      ([n, unit]) => unit.repeat(80 * n),
    );
    fc.assert(fc.property(fc.array(text, { maxLength: 6 }), (texts) => {
      assert.deepEqual(cached.countBatch(texts), plain.countBatch(texts));
      for (const text of texts) assert.equal(cached.count(text), plain.count(text));
    }));
  });

  it("names the right text of a batch that is partly cached", () => {
    using tokenizer = new Tokenizer("o200k_base", { cache: true, special: "error" });
    const known = fresh(500);
    tokenizer.count(known);
    assert.throws(
      () => tokenizer.countBatch([known, known, `${fresh(500)}<|endoftext|>`]),
      /^SluiceError: text 2: /,
    );
  });

  it("refuses invalid UTF-8 every time", () => {
    using tokenizer = new Tokenizer("o200k_base", { cache: true });
    const bytes = new Uint8Array(500).fill(0x61);
    bytes[499] = 0xff;
    for (let i = 0; i < 2; i++) assert.throws(() => tokenizer.count(bytes), /byte 499/);
  });

  it("is bounded", () => {
    using tokenizer = new Tokenizer("r50k_base", { cache: true });
    const { capacity, evictions } = cacheStats();
    assert.equal(capacity, 20_480);
    for (let i = 0; i < 3 * capacity; i++) tokenizer.count(`${i} ${"x".repeat(256)}`);
    const after = cacheStats();
    assert.equal(after.capacity, capacity);
    assert.ok(after.evictions - evictions >= 2 * capacity);
  });

  it("is shared by all Workers", async () => {
    using tokenizer = new Tokenizer("o200k_base", { cache: true });
    const texts = Array.from({ length: 20 }, () => fresh(2_000));
    const { hits } = cacheStats();
    const theirs = await inWorker(texts);
    const both = await Promise.all([inWorker(texts), inWorker(texts)]);
    assert.deepEqual(both, [theirs, theirs]);
    assert.deepEqual([...tokenizer.countBatch(texts)], theirs);
    assert.equal(cacheStats().hits - hits, 60);
  });

  it("refuses wrong options", () => {
    // deno-lint-ignore no-explicit-any
    const open = (cache: any) => () => new Tokenizer("o200k_base", { cache });
    assert.throws(open("yes"), /^TypeError: cache must be a boolean or an object, not "yes"$/);
    assert.throws(open(null), TypeError);
    assert.throws(open({ entries: "9" }), /^TypeError: cache.entries must be a number, not "9"$/);
    for (const entries of [0, -1, 1.5, NaN, 2 ** 25]) assert.throws(open({ entries }), RangeError);
  });
});
