import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ENCODINGS, type SpecialTokenMode, Tokenizer } from "../mod.ts";
import { parts } from "./fixtures/texts.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

const COUNTER_CLOSED = {
  name: "SluiceError",
  code: "SLUICE_DISPOSED",
  message: "This counter is closed",
};

describe("counter", () => {
  it("counts the whole exactly after every part, in every encoding and mode", () => {
    for (const name of ENCODINGS) {
      for (const special of ["text", "allow"] as SpecialTokenMode[]) {
        using tokenizer = new Tokenizer(name, { special });
        using counter = tokenizer.counter();
        fc.assert(
          fc.property(parts, (parts) => {
            let whole = "";
            counter.reset();
            for (const part of parts) {
              whole += part;
              assert.equal(counter.push(part), tokenizer.count(whole), JSON.stringify(whole));
              assert.equal(counter.count, tokenizer.count(whole));
            }
            assert.equal(counter.push(""), tokenizer.count(whole));
          }),
          { numRuns: 300 },
        );
      }
    }
  });

  it("joins surrogate pairs that are cut in two", () => {
    using tokenizer = new Tokenizer("o200k_base");
    using counter = tokenizer.counter();
    let whole = "";
    for (const part of ["a", "\ud83d", "", "\ude00", "\ude00", "\ud83d", "\ud83d", "b", "\ud83d"]) {
      whole += part;
      assert.equal(counter.push(part), tokenizer.count(whole), JSON.stringify(whole));
    }
    counter.reset();
    assert.equal(counter.push("\ude00"), tokenizer.count("\ude00"), "nothing is left over");
  });

  it("joins special tokens that are cut in two", () => {
    using tokenizer = new Tokenizer("cl100k_base");
    const whole = "hello <|endoftext|> x<|fim_prefix|>";
    for (const special of ["text", "allow"] as const) {
      using counter = tokenizer.counter({ special });
      for (let end = 1; end <= whole.length; end++) {
        const expected = tokenizer.count(whole.slice(0, end), { special });
        assert.equal(counter.push(whole[end - 1]!), expected);
      }
    }
    using strict = tokenizer.counter({ special: "error" });
    assert.equal(strict.push("hello <|endof"), tokenizer.count("hello <|endof"));
    for (const rest of ["text|>", "", " x"]) {
      assert.throws(() => strict.push(rest), {
        name: "SluiceError",
        code: "SLUICE_SPECIAL_TOKEN",
        message: /<\|endoftext\|> at byte 6/,
      });
    }
    strict.reset();
    assert.equal(strict.push("text|>"), tokenizer.count("text|>"));
  });

  it("counts a megabyte of one character pushed in small parts", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const unit of [" ", "a", "A", "\n", "1", "🙂", "𠀀", "中", "='", "\r\n "]) {
      using counter = tokenizer.counter();
      const whole = unit.repeat(Math.ceil(2e5 / unit.length));
      for (let at = 0; at < whole.length; at += 3) {
        const count = counter.push(whole.slice(at, at + 3));
        if (at % 29_997 === 0) assert.equal(count, tokenizer.count(whole.slice(0, at + 3)));
      }
      assert.equal(counter.count, tokenizer.count(whole));
      assert.equal(counter.push("x"), tokenizer.count(whole + "x"));
    }
  });

  it("keeps many counters independent, and outlives its tokenizer", () => {
    const tokenizer = new Tokenizer("o200k_base");
    const counters = Array.from({ length: 300 }, () => tokenizer.counter());
    tokenizer.close();
    for (let round = 1; round <= 3; round++) {
      counters.forEach((counter, i) => counter.push(` ${i}`));
    }
    using fresh = new Tokenizer("o200k_base");
    counters.forEach((counter, i) => {
      assert.equal(counter.count, fresh.count(` ${i}`.repeat(3)));
      counter.close();
    });
  });

  it("takes many more counters than may be open at once, if they are closed", () => {
    using tokenizer = new Tokenizer("r50k_base");
    for (let i = 0; i < 70_000; i++) {
      using counter = tokenizer.counter();
      if (i % 1000 === 0) assert.equal(counter.push("hello world"), 2);
    }
  });

  it("refuses wrong arguments, and does not change", () => {
    using tokenizer = new Tokenizer("o200k_base");
    using counter = tokenizer.counter();
    counter.push("hello");
    for (const delta of [null, undefined, 1, NaN, new Uint8Array(2), ["a"], {}]) {
      assert.throws(() => counter.push(any(delta)), /TypeError: delta must be a string, not /);
    }
    assert.equal(counter.push(" world"), 2);
    assert.throws(() => tokenizer.counter({ special: any("none") }), /special must be "text"/);
  });

  it("refuses use after close, and lets close be called again", () => {
    const tokenizer = new Tokenizer("o200k_base");
    const counter = tokenizer.counter();
    counter.push("hello world");
    counter.close();
    counter.close();
    counter[Symbol.dispose]();
    assert.throws(() => counter.push("x"), COUNTER_CLOSED);
    assert.throws(() => counter.push(""), COUNTER_CLOSED);
    assert.throws(() => counter.reset(), COUNTER_CLOSED);
    assert.equal(counter.count, 2);
    tokenizer.close();
    assert.throws(() => tokenizer.counter(), { message: "This o200k_base tokenizer is closed" });
  });
});
