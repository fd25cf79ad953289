import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ENCODINGS, type SluiceError, TokenDecoderStream, Tokenizer } from "../mod.ts";
import { anyText } from "./fixtures/texts.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

async function collect(stream: ReadableStream<string>): Promise<string[]> {
  const chunks: string[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
  }
  return chunks;
}

describe("decoder", () => {
  it("decodes any text id by id, and never returns part of a character", () => {
    for (const name of ENCODINGS) {
      using tokenizer = new Tokenizer(name, { special: "allow" });
      const decoder = tokenizer.decoder();
      fc.assert(
        fc.property(anyText, (text) => {
          const wellFormed = text.toWellFormed();
          let got = "";
          for (const id of tokenizer.encode(text)) {
            got += decoder.push(id);
            assert.ok(wellFormed.startsWith(got), JSON.stringify(got));
          }
          assert.equal(got, wellFormed);
          assert.equal(decoder.end(), "");
        }),
        { numRuns: 200 },
      );
    }
  });

  it("equals decoding at once, for any ids pushed in any parts", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const ids = fc.array(fc.oneof(fc.nat(199_997), fc.integer({ min: 94, max: 255 })));
    fc.assert(fc.property(ids, fc.integer({ min: 1, max: 5 }), (ids, step) => {
      const decoder = tokenizer.decoder();
      let text = "";
      for (let at = 0; at < ids.length; at += step) {
        const part = ids.slice(at, at + step);
        text += decoder.push(at % 2 === 0 ? part : new Uint32Array(part));
      }
      assert.equal(text + decoder.end(), tokenizer.decode(ids));
    }));
  });

  it("keeps a byte order mark, also in the middle", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const decoder = tokenizer.decoder();
    for (const text of ["\uFEFFhi", "\uFEFF\uFEFF", "a\uFEFF"]) {
      const got = Array.from(tokenizer.encode(text), (id) => decoder.push(id)).join("");
      assert.equal(got + decoder.end(), text);
    }
  });

  it("ends an incomplete character as U+FFFD, and starts afresh", () => {
    using tokenizer = new Tokenizer("cl100k_base");
    const [first] = tokenizer.encode("👍");
    const [one, other] = [tokenizer.decoder(), tokenizer.decoder()];
    assert.equal(one.push(first!), "");
    assert.equal(other.push(tokenizer.encode("ok")), "ok");
    assert.equal(tokenizer.decode(tokenizer.encode("fine")), "fine");
    assert.equal(one.end(), "\ufffd");
    assert.equal(one.end(), "");
    assert.equal(one.push(tokenizer.encode("👍")), "👍");
    assert.equal(one.push([]), "");
  });

  it("does not change after an error", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const decoder = tokenizer.decoder();
    const ids = tokenizer.encode("🧚");
    assert.equal(decoder.push(ids.subarray(0, 1)), "");
    assert.throws(() => decoder.push([13225, 4_000_000]), (error: SluiceError) => {
      assert.equal(error.code, "SLUICE_UNKNOWN_TOKEN");
      return true;
    });
    for (const id of [-1, 1.5, NaN, Infinity]) {
      assert.throws(() => decoder.push(id), /RangeError: ids\[0\] must be an integer/);
    }
    for (const ids of [null, undefined, "1", {}, new Uint8Array(1)]) {
      assert.throws(() => decoder.push(any(ids)), /TypeError: ids must be a Uint32Array or an arr/);
    }
    assert.equal(decoder.push(ids.subarray(1)), "🧚");
    tokenizer.close();
    assert.throws(() => decoder.push(1), { code: "SLUICE_DISPOSED" });
    assert.throws(() => tokenizer.decoder(), { code: "SLUICE_DISPOSED" });
  });

  it("streams, with whole characters and no empty chunks", async () => {
    using tokenizer = new Tokenizer("o200k_base");
    const text = "naïve 🧚🏽 \uFEFF中文";
    const source = new ReadableStream<number>({
      start(controller) {
        for (const id of tokenizer.encode(text)) controller.enqueue(id);
        controller.close();
      },
    });
    const chunks = await collect(source.pipeThrough(new TokenDecoderStream(tokenizer)));
    assert.equal(chunks.join(""), text);
    assert.ok(chunks.every((chunk) => chunk !== "" && chunk.isWellFormed()));
  });

  it("streams an incomplete character as U+FFFD, and passes errors on", async () => {
    using tokenizer = new Tokenizer("o200k_base");
    const stream = (ids: number[][]): ReadableStream<string> =>
      new ReadableStream<number[]>({
        start(controller) {
          for (const part of ids) controller.enqueue(part);
          controller.close();
        },
      }).pipeThrough(new TokenDecoderStream(tokenizer));
    const [first] = tokenizer.encode("🧚");
    assert.deepEqual(await collect(stream([[13225], [first!]])), ["Hello", "\ufffd"]);
    await assert.rejects(collect(stream([[13225], [4_000_000]])), { code: "SLUICE_UNKNOWN_TOKEN" });
  });
});
