/**
 * The positions of errors, against naive scans in JavaScript: which text of a batch, which byte, which token id, and
 * which part or limit of a call on limiters.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { rate, RateLimiter, reserveAll, SluiceError, Tokenizer } from "../mod.ts";

const FIELDS = [
  "textIndex",
  "byteOffset",
  "tokenId",
  "tokenIndex",
  "partIndex",
  "limitIndex",
] as const;

/** The code of the error that `call` throws, with the fields that it has. */
function errorOf(call: () => unknown): Record<string, unknown> {
  try {
    call();
  } catch (error) {
    return fieldsOf(error);
  }
  return {};
}

async function rejectionOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  return await promise.then(() => ({}), fieldsOf);
}

function fieldsOf(error: unknown): Record<string, unknown> {
  assert.ok(error instanceof SluiceError, String(error));
  const fields = FIELDS.filter((name) => name in error).map((name) => [name, error[name]]);
  return { code: error.code, ...Object.fromEntries(fields) };
}

/** Where the first character begins that is not valid UTF-8, or undefined: character by character. */
function firstInvalid(bytes: Uint8Array): number | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const isCharacter = (part: Uint8Array): boolean => {
    try {
      return [...decoder.decode(part)].length === 1;
    } catch {
      return false;
    }
  };
  let at = 0;
  while (at < bytes.length) {
    const length = [1, 2, 3, 4].find((length) => isCharacter(bytes.subarray(at, at + length)));
    if (length === undefined) return at;
    at += length;
  }
  return undefined;
}

describe("the position of an error", () => {
  let seed = 23;
  const random = (n: number): number => (seed = seed * 48271 % 0x7fffffff) % n;
  const one = <T>(items: readonly T[]): T => items[random(items.length)]!;

  /** Characters of all lengths, at times with a byte too many or too few. */
  const bytes = (): Uint8Array => {
    const parts: number[] = [];
    for (let n = random(12); n > 0; n--) {
      const character = [...Buffer.from(one(["a", " ", "é", "你", "👋", "\u0301"]))];
      if (random(12) === 0) character.splice(random(character.length), 1);
      if (random(12) === 0) character.push(one([0x80, 0xc0, 0xe2, 0xed, 0xf4, 0xff]));
      parts.push(...character);
    }
    return Uint8Array.from(parts);
  };

  it("is where bytes stop being UTF-8", () => {
    using tokenizer = new Tokenizer("o200k_base");
    let invalid = 0;
    for (let round = 0; round < 2_000; round++) {
      const text = bytes();
      const byteOffset = firstInvalid(text);
      if (byteOffset !== undefined) invalid++;
      const expected = byteOffset === undefined ? {} : { code: "SLUICE_INVALID_UTF8", byteOffset };
      assert.deepEqual(errorOf(() => tokenizer.count(text)), expected, String(text));
      assert.deepEqual(errorOf(() => tokenizer.encode(text)), expected, String(text));
    }
    assert.ok(invalid > 200 && invalid < 1_900, String(invalid));
  });

  it("names the first text of a batch that is not UTF-8", async () => {
    using tokenizer = new Tokenizer("o200k_base");
    let invalid = 0;
    for (let round = 0; round < 1_000; round++) {
      const texts = Array.from({ length: random(6) }, bytes);
      const textIndex = texts.findIndex((text) => firstInvalid(text) !== undefined);
      const expected = textIndex < 0 ? {} : {
        code: "SLUICE_INVALID_UTF8",
        textIndex,
        byteOffset: firstInvalid(texts[textIndex]!),
      };
      if (textIndex >= 0) invalid++;
      const message = texts.join(" / ");
      assert.deepEqual(errorOf(() => tokenizer.countBatch(texts)), expected, message);
      assert.deepEqual(errorOf(() => tokenizer.encodeBatch(texts)), expected, message);
      if (round % 20 > 0) continue;
      assert.deepEqual(await rejectionOf(tokenizer.countBatchAsync(texts)), expected, message);
    }
    assert.ok(invalid > 200, String(invalid));
  });

  it("counts texts that are valid together and not apart", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const euro = [Uint8Array.of(0x61), Uint8Array.of(0x61, 0xe2), Uint8Array.of(0x82, 0xac)];
    assert.deepEqual(errorOf(() => tokenizer.countBatch(euro)), {
      code: "SLUICE_INVALID_UTF8",
      textIndex: 1,
      byteOffset: 1,
    });
  });

  it("is where the first special token begins", async () => {
    using tokenizer = new Tokenizer("o200k_base", { special: "error" });
    const specials = ["<|endoftext|>", "<|endofprompt|>"];
    const text = (): string =>
      Array.from(
        { length: random(8) },
        () => one(["a", " né", "你好", "👋🏽", "<|", "|>", "<|other|>", "\ud800", ...specials]),
      ).join("");
    const offsetOf = (text: string): number | undefined => {
      const found = specials.map((name) => text.indexOf(name)).filter((at) => at >= 0);
      const first = Math.min(...found);
      return found.length === 0 ? undefined : Buffer.byteLength(text.slice(0, first));
    };
    const code = "SLUICE_SPECIAL_TOKEN";
    for (let round = 0; round < 1_000; round++) {
      const texts = Array.from({ length: 1 + random(5) }, text);
      const first = texts[0]!;
      const at = offsetOf(first);
      const single = at === undefined ? {} : { code, byteOffset: at };
      assert.deepEqual(errorOf(() => tokenizer.count(first)), single, first);
      const textIndex = texts.findIndex((text) => offsetOf(text) !== undefined);
      const expected = textIndex < 0
        ? {}
        : { code, textIndex, byteOffset: offsetOf(texts[textIndex]!) };
      const message = JSON.stringify(texts);
      assert.deepEqual(errorOf(() => tokenizer.countBatch(texts)), expected, message);
      assert.deepEqual(errorOf(() => tokenizer.encodeBatch(texts)), expected, message);
      if (round % 20 > 0) continue;
      assert.deepEqual(await rejectionOf(tokenizer.encodeBatchAsync(texts)), expected, message);
      assert.deepEqual(await rejectionOf(tokenizer.countAsync(first)), single, first);
    }
    const long = "word ".repeat(50_000) + "<|endoftext|>";
    assert.deepEqual(await rejectionOf(tokenizer.encodeAsync(long)), { code, byteOffset: 250_000 });
  });

  it("is the token id that does not exist", () => {
    using tokenizer = new Tokenizer("r50k_base");
    const isKnown = (id: number): boolean => id <= 50_256;
    for (let round = 0; round < 1_000; round++) {
      const ids = Array.from(
        { length: random(9) },
        () => random(6) === 0 ? one([50_257, 300_000, 4_294_967_295]) : random(50_257),
      );
      const tokenIndex = ids.findIndex((id) => !isKnown(id));
      const expected = tokenIndex < 0
        ? {}
        : { code: "SLUICE_UNKNOWN_TOKEN", tokenId: ids[tokenIndex], tokenIndex };
      assert.deepEqual(errorOf(() => tokenizer.decode(ids)), expected, String(ids));
      assert.deepEqual(errorOf(() => tokenizer.decodeBytes(ids)), expected, String(ids));
    }
  });

  it("is part of the message", () => {
    using tokenizer = new Tokenizer("o200k_base", { special: "error" });
    assert.throws(() => tokenizer.countBatch(["fine", "a<|endoftext|>"]), {
      name: "SluiceError",
      message: "text 1: text contains the special token <|endoftext|> at byte 1",
    });
    assert.throws(() => tokenizer.count(Uint8Array.of(0x61, 0xff)), {
      message: "text is not valid UTF-8 at byte 1",
    });
    assert.throws(() => tokenizer.decode([1, 300_000]), {
      message: "this encoding has no token id 300000 at index 1",
    });
  });

  it("is missing where it does not apply", () => {
    assert.deepEqual(errorOf(() => new Tokenizer("o300k_base" as "o200k_base")), {
      code: "SLUICE_UNKNOWN_ENCODING",
    });
    const tokenizer = new Tokenizer("o200k_base");
    assert.throws(() => tokenizer.count(Uint8Array.of(0xff)));
    tokenizer.close();
    assert.deepEqual(errorOf(() => tokenizer.count("x")), { code: "SLUICE_DISPOSED" });
  });

  it("is the limit that differs, and the part whose key is gone", () => {
    const limits = {
      a: rate({ limit: 1, per: "second" }),
      b: rate({ limit: 2, per: "second" }),
      c: rate({ limit: 3, per: "second" }),
    };
    const name = "error details";
    using limiter = new RateLimiter({ name, limits });
    for (const [limitIndex, key] of ["a", "b", "c"].entries()) {
      const other = { ...limits, [key]: rate({ limit: 9, per: "second" }) };
      assert.deepEqual(errorOf(() => new RateLimiter({ name, limits: other })), {
        code: "SLUICE_LIMITER_MISMATCH",
        limitIndex,
      });
    }
    assert.deepEqual(errorOf(() => new RateLimiter({ name, limits, maxKeys: 5 })), {
      code: "SLUICE_LIMITER_MISMATCH",
    });
    using second = new RateLimiter({
      name: "error details, second part",
      limits: { tokens: rate({ unit: "tokens", limit: 100, per: "second" }) },
    });
    const reserved = reserveAll(
      [{ limiter, key: "k" }, { limiter: second, key: "k" }],
      { tokens: 1 },
    );
    assert.ok(reserved.allowed);
    second.forget("k");
    assert.deepEqual(errorOf(() => reserved.topUp({ tokens: 1 })), {
      code: "SLUICE_STALE_KEY",
      partIndex: 1,
    });
  });
});
