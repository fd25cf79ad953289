/** The pass-through stream that counts tokens: against the count of the whole, and under cancellation. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { type SpecialTokenMode, type TokenCounter, TokenCounterStream, Tokenizer } from "../mod.ts";
import { serve } from "./fixtures/native_server.ts";
import { codePoint, parts } from "./fixtures/texts.ts";

const encoder = new TextEncoder();

function source<T>(chunks: readonly T[]): ReadableStream<T> {
  return new ReadableStream<T>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function collect<T>(stream: ReadableStream<T>): Promise<T[]> {
  const chunks: T[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value);
  }
  return chunks;
}

/** `bytes` cut into parts of these lengths, as long as there are any. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

/** A tokenizer that keeps the counters that it makes. */
function keeping(counters: TokenCounter[]): Tokenizer {
  const counter: Tokenizer["counter"] = (options) => {
    counters.push(tokenizer.counter(options));
    return counters.at(-1)!;
  };
  return { counter } as Tokenizer;
}

const tokenizer = new Tokenizer("o200k_base");

describe("TokenCounterStream", () => {
  it("passes strings through unchanged, and counts as the whole, wherever it is cut", async () => {
    for (const special of ["text", "allow"] as SpecialTokenMode[]) {
      await fc.assert(
        fc.asyncProperty(parts, async (parts) => {
          const stream = new TokenCounterStream<string>(tokenizer, { special });
          assert.deepEqual(await collect(source(parts).pipeThrough(stream)), parts);
          const whole = tokenizer.count(parts.join(""), { special });
          assert.deepEqual([await stream.total, stream.count], [whole, whole]);
        }),
        { numRuns: 200 },
      );
    }
  });

  it("passes bytes through unchanged, also if they cut characters", async () => {
    const text = fc.string({ unit: codePoint, maxLength: 40 });
    const lengths = fc.array(fc.nat({ max: 5 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, lengths, async (text, lengths) => {
        const chunks = cut(encoder.encode(text), lengths);
        const stream = new TokenCounterStream<Uint8Array>(tokenizer);
        const passed = await collect(source(chunks).pipeThrough(stream));
        assert.ok(passed.length === chunks.length && passed.every((it, i) => it === chunks[i]));
        assert.equal(await stream.total, tokenizer.count(text.toWellFormed()));
      }),
      { numRuns: 300 },
    );
  });

  it("counts bytes that are not UTF-8, and characters that are cut off, as U+FFFD", async () => {
    const invalid = [0x61, 0xff, 0xf0, 0x9f, 0x98, 0x62, 0xe4, 0xbd];
    for (let length = 0; length <= invalid.length; length++) {
      const bytes = Uint8Array.from(invalid.slice(0, length));
      const whole = tokenizer.count(new TextDecoder().decode(bytes));
      for (let at = 0; at <= length; at++) {
        const stream = new TokenCounterStream(tokenizer);
        const chunks = await collect(source(cut(bytes, [at])).pipeThrough(stream));
        assert.deepEqual(chunks.map((chunk) => [...chunk as Uint8Array]).flat(), [...bytes]);
        assert.equal(await stream.total, whole, `${length} bytes, cut at ${at}`);
      }
    }
  });

  it("takes strings and bytes in one stream, and a byte order mark as text", async () => {
    const chunks = ["\uFEFFa", encoder.encode("\uFEFF🙂").subarray(0, 5), "b\ud83d", "\ude00"];
    const stream = new TokenCounterStream(tokenizer);
    assert.deepEqual(await collect(source(chunks).pipeThrough(stream)), chunks);
    assert.equal(await stream.total, tokenizer.count("\uFEFFa\uFEFF\uFFFDb😀"));
  });

  it("has the count so far, and outlives its tokenizer", async () => {
    const own = new Tokenizer("o200k_base");
    const stream = new TokenCounterStream<string>(own);
    own.close();
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    let whole = "";
    for (const part of ["Hel", "lo, wor", "ld", "!"]) {
      void writer.write(part);
      whole += (await reader.read()).value!;
      assert.equal(stream.count, tokenizer.count(whole));
    }
    void writer.close();
    assert.equal((await reader.read()).done, true);
    assert.equal(await stream.total, 4);
  });

  it("keeps backpressure: it reads no more than its reader asks for", async () => {
    let pulled = 0;
    const endless = new ReadableStream<string>({
      pull(controller) {
        pulled++;
        controller.enqueue(`word ${pulled} `);
      },
    }, { highWaterMark: 0 });
    const reader = endless.pipeThrough(new TokenCounterStream<string>(tokenizer)).getReader();
    await sleep(20);
    assert.ok(pulled <= 2, `${pulled} before the first read`);
    for (let i = 0; i < 10; i++) await reader.read();
    await sleep(20);
    assert.ok(pulled <= 13, `${pulled} for ten reads`);
    await reader.cancel();
  });

  it("resolves with the count of what has passed when it is cancelled, aborted or fails", async () => {
    const hello = tokenizer.count("Hello, world");
    const begin = async () => {
      const stream = new TokenCounterStream<string>(tokenizer);
      const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
      writer.closed.catch(() => {});
      void writer.write("Hello, world").catch(() => {});
      assert.equal((await reader.read()).value, "Hello, world");
      return { stream, writer, reader };
    };
    const cancelled = await begin();
    await cancelled.reader.cancel("enough");
    assert.equal(await cancelled.stream.total, hello);
    const aborted = await begin();
    await aborted.writer.abort("no more").catch(() => {});
    assert.equal(await aborted.stream.total, hello);
    await assert.rejects(aborted.reader.read());
    const failing = new TokenCounterStream<string>(tokenizer);
    let parts = 0;
    const broken = new ReadableStream<string>({
      pull(controller) {
        if (parts++ === 0) controller.enqueue("Hello, world");
        else controller.error(new Error("the upstream is gone"));
      },
    });
    await assert.rejects(collect(broken.pipeThrough(failing)), /the upstream is gone/);
    assert.equal(await failing.total, hello);
  });

  it("fails for a chunk that is not text, and for a special token if that is an error", async () => {
    const strange = new TokenCounterStream(tokenizer);
    await assert.rejects(
      collect(source(["a", 5] as unknown as string[]).pipeThrough(strange)),
      /TypeError: a chunk must be a string or a Uint8Array, not 5/,
    );
    assert.equal(await strange.total, 1);
    const strict = new TokenCounterStream<string>(tokenizer, { special: "error" });
    await assert.rejects(collect(source(["hi <|endof", "text|>"]).pipeThrough(strict)), {
      code: "SLUICE_SPECIAL_TOKEN",
    });
    const closed = new Tokenizer("o200k_base");
    closed.close();
    assert.throws(() => new TokenCounterStream(closed), { code: "SLUICE_DISPOSED" });
    assert.throws(
      () => new TokenCounterStream(tokenizer, { special: "none" as "text" }),
      TypeError,
    );
  });

  it("closes its native counter when it ends, is cancelled, aborted or fails", async () => {
    const counters: TokenCounter[] = [];
    const make = () => new TokenCounterStream(keeping(counters));
    const isOpen = (i: number): boolean => {
      try {
        return counters[i]!.push("") >= 0;
      } catch {
        return false;
      }
    };
    const [ended, cancelled, aborted, failed, open] = [make(), make(), make(), make(), make()];
    await collect(source(["a"]).pipeThrough(ended));
    await cancelled.readable.cancel();
    await aborted.writable.abort().catch(() => {});
    await collect(source([7 as unknown as string]).pipeThrough(failed)).catch(() => {});
    assert.deepEqual([0, 1, 2, 3, 4].map(isOpen), [false, false, false, false, true]);
    await open.readable.cancel();
    assert.equal(isOpen(4), false);
  });

  it("counts the body of a streamed response", async () => {
    const text = "Straße, 你好 🙂 naïve — ".repeat(500);
    const bytes = encoder.encode(text);
    // Seven bytes at a time cut most of the characters.
    const { origin, stop } = await serve(() => {
      let at = 0;
      return new Response(
        new ReadableStream<Uint8Array>({
          async pull(controller) {
            if (at % 700 === 0) await sleep(1);
            if (at >= bytes.length) return controller.close();
            controller.enqueue(bytes.slice(at, at += 7));
          },
        }),
      );
    });
    try {
      const response = await fetch(origin);
      const counter = new TokenCounterStream<Uint8Array<ArrayBuffer>>(tokenizer);
      const metered = new Response(response.body!.pipeThrough(counter));
      assert.equal(await metered.text(), text);
      assert.equal(await counter.total, tokenizer.count(text));
      const stopped = new AbortController();
      const other = await fetch(origin, { signal: stopped.signal });
      const half = new TokenCounterStream<Uint8Array<ArrayBuffer>>(tokenizer);
      const reader = other.body!.pipeThrough(half).getReader();
      await reader.read();
      stopped.abort();
      await assert.rejects(async () => {
        for (;;) if ((await reader.read()).done) return;
      });
      assert.ok(await half.total > 0 && half.count < tokenizer.count(text));
    } finally {
      await stop();
    }
  });
});
