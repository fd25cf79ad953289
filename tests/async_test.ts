/** The calls off the event loop: equal results, while the event loop runs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { Tokenizer, type Tokenizer as T } from "../mod.ts";
import { inBatch, slots } from "../src/tokenizer/job.ts";
import { uniform, writeBatch } from "../src/tokenizer/job_packing.ts";
import type { NativeJob } from "../src/tokenizer/native_job.ts";
import { Slots } from "../src/tokenizer/slots.ts";
import { TimeSlice } from "../src/tokenizer/time_slice.ts";

const utf8 = new TextEncoder();
/** Long enough for a job, with a surrogate pair at most offsets where a slice may end. */
const LONG = "Größe 中文 🙂🙂🙂 word ".repeat(20_000);

function busy(tokenizer: T): Promise<number> {
  return tokenizer.countAsync("The quick brown fox. ".repeat(400_000));
}

describe("the calls off the event loop", () => {
  const open = new Tokenizer("o200k_base");

  it("equal the synchronous calls, for strings and for bytes", async () => {
    for (const text of ["", "Hello, world!", LONG, "\ud83d" + "x".repeat(70_000) + "\ude00"]) {
      const expected = open.encode(text);
      for (const form of [text, utf8.encode(text)]) {
        assert.equal(await open.countAsync(form), expected.length);
        assert.deepEqual(await open.encodeAsync(form), expected);
      }
    }
  });

  it("equal them wherever slices end", async () => {
    const emoji = fc.integer({ min: 65_530, max: 65_540 })
      .map((n) => "a".repeat(n) + "🙂".repeat(40_000));
    await fc.assert(
      fc.asyncProperty(emoji, async (text) => {
        assert.deepEqual(await open.encodeAsync(text), open.encode(text));
      }),
      { numRuns: 8 },
    );
  });

  it("equal the synchronous calls for batches", async () => {
    const texts = Array.from({ length: 3000 }, (_, i) => `text ${i} 🙂 ${"word ".repeat(i % 60)}`);
    const mixed = texts.map((text, i) => i % 3 === 0 ? utf8.encode(text) : text);
    for (
      const batch of [[], ["a", "b"], texts, [...texts, LONG, ""], mixed, ["", LONG, ...mixed]]
    ) {
      assert.deepEqual(await open.countBatchAsync(batch), open.countBatch(batch));
      for (const threads of [0, 1, 3]) {
        assert.deepEqual(await open.encodeBatchAsync(batch, { threads }), open.encodeBatch(batch));
      }
    }
  });

  it("read special tokens as the option says, and name one that is refused", async () => {
    const text = "words ".repeat(20_000) + "<|endoftext|>";
    const allowed = await open.encodeAsync(text, { special: "allow" });
    assert.equal(allowed.at(-1), 199999);
    await assert.rejects(open.countAsync(text, { special: "error" }), {
      code: "SLUICE_SPECIAL_TOKEN",
      message: /^text contains the special token <\|endoftext\|> at byte 120000/,
    });
  });

  it("reject what the synchronous calls refuse", async () => {
    // deno-lint-ignore no-explicit-any
    const any = (value: unknown): any => value;
    await assert.rejects(open.countAsync(any(null)), /text must be a string or a Uint8Array/);
    await assert.rejects(open.countBatchAsync(any(["a", 1])), /texts\[1\] must be a string/);
    await assert.rejects(open.encodeBatchAsync(any("a")), /texts must be an array/);
    await assert.rejects(open.countAsync(LONG, { threads: -1 }), RangeError);
    const invalid = utf8.encode(LONG);
    invalid[100_000] = 0xff;
    await assert.rejects(open.countAsync(invalid), { code: "SLUICE_INVALID_UTF8" });
    const closed = new Tokenizer("o200k_base");
    closed.close();
    await assert.rejects(closed.countAsync(LONG), { code: "SLUICE_DISPOSED" });
    await assert.rejects(closed.countAsync("short"), { code: "SLUICE_DISPOSED" });
  });

  it("let the event loop run", async () => {
    // Slow to count, in one text or in many. Blocking at the start and at the end is measured too.
    const text = "\u0301".repeat(40_000_000);
    const texts = Array.from({ length: 20_000 }, (_, i) => "\u0301".repeat(2_000 + i % 2));
    for (
      const [once, call] of [
        [() => open.count(text), () => open.countAsync(text)],
        [() => open.countBatch(texts, { threads: 1 }), () => open.countBatchAsync(texts)],
        [() => open.encodeBatch(texts, { threads: 1 }), () => open.encodeBatchAsync(texts)],
      ] as const
    ) {
      let [blocked, held] = [0, 0];
      // Other programs hold it too on a busy machine, but not each time.
      for (let i = 0; i < 3 && held >= blocked / 2; i++) {
        blocked = await longestHold(once);
        held = await longestHold(call);
      }
      // The benchmark has the exact figure. Here it must only differ from the synchronous call.
      assert.ok(held < blocked / 2, `held ${held} ms of ${blocked} ms`);
    }
  });

  it("let the event loop run with many empty texts", async () => {
    const texts = Array.from({ length: 2_000_000 }, () => "");
    // Not by the clock: copying the array, which is synchronous, takes as long as counting.
    let turns = 0;
    let counting = true;
    const look = (): void => {
      turns++;
      if (counting) setImmediate(look);
    };
    setImmediate(look);
    try {
      assert.equal((await open.countBatchAsync(texts)).length, texts.length);
    } finally {
      counting = false;
    }
    assert.ok(turns >= 10, `the event loop ran ${turns} times`);
  });

  it("refuse a text that is detached between the look at it and the writing of its length", async () => {
    const texts = [new Uint8Array(5), new Uint8Array(3)];
    const job = { write() {} } as unknown as NativeJob;
    const slice = new TimeSlice(undefined);
    const uniformTexts = await uniform(texts, inBatch, slice);
    structuredClone(texts[1], { transfer: [texts[1]!.buffer] });
    await assert.rejects(
      writeBatch(job, uniformTexts, 1, inBatch, slice),
      /^TypeError: texts\[1\] is backed by a detached ArrayBuffer/,
    );
  });

  it("use the original texts if the array is changed afterwards", async () => {
    const texts = Array.from({ length: 5000 }, (_, i) => `text number ${i}`);
    const expected = open.countBatch(texts);
    const ids = open.encodeBatch(texts);
    const mixed = [...texts, utf8.encode("bytes")];
    const calls = [open.countBatchAsync(texts), open.countBatchAsync(mixed)] as const;
    const encoding = open.encodeBatchAsync(texts);
    texts.length = 0;
    mixed.fill("other");
    assert.deepEqual(await calls[0], expected);
    assert.deepEqual((await calls[1]).subarray(0, 5000), expected);
    assert.deepEqual(await encoding, ids);
  });
});

/** The longest time that the event loop is blocked while `work` runs, in milliseconds. */
async function longestHold(work: () => unknown): Promise<number> {
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last);
    last = now;
  }, 1);
  await sleep(5);
  await work();
  // One more tick, so that blocking at the end is measured.
  await sleep(5);
  clearInterval(timer);
  return worst;
}

describe("AbortSignal", () => {
  const open = new Tokenizer("o200k_base");

  it("stops a job that has not started", async () => {
    const reason = new Error("not needed");
    for (const text of ["short", LONG]) {
      await assert.rejects(open.countAsync(text, { signal: AbortSignal.abort(reason) }), reason);
      await assert.rejects(open.encodeBatchAsync([text], { signal: AbortSignal.abort(reason) }));
    }
  });

  it("stops a running job with the reason of the signal", async () => {
    const controller = new AbortController();
    const counting = open.countAsync("z".repeat(60_000_000), { signal: controller.signal });
    await sleep(20);
    const aborted = performance.now();
    controller.abort(new Error("changed my mind"));
    await assert.rejects(counting, /changed my mind/);
    assert.ok(performance.now() - aborted < 2_000);
    assert.equal(await open.countAsync(LONG), open.count(LONG));
  });

  it("keeps its slot until no thread works on it", async () => {
    // One text without a safe cut: a thread that has started it counts it to the end.
    const text = "\u0301".repeat(20_000_000);
    const places = slots.free;
    let kept = false;
    for (let tries = 0, delay = 50; !kept && tries < 12; tries++) {
      const controller = new AbortController();
      const outcome = open.countAsync(text, { signal: controller.signal }).catch((error) => error);
      await sleep(delay);
      controller.abort(new Error("changed my mind"));
      const isTooLate = typeof await outcome === "number";
      if (!isTooLate) assert.match(String(await outcome), /changed my mind/);
      kept = !isTooLate && slots.free < places;
      // The machine may be so busy that the text was counted during the sleep.
      delay = isTooLate ? delay / 2 : 2 * delay;
      while (slots.free < places) await sleep(5);
    }
    assert.ok(kept, "the place was free while a thread was at the text, or it never was");
  });

  it("leaves the queue at once", async () => {
    const running = Array.from({ length: 4 }, () => busy(open));
    const controller = new AbortController();
    const waiting = open.countAsync(LONG, { signal: controller.signal });
    controller.abort(new Error("gone"));
    await assert.rejects(waiting, /gone/);
    await Promise.all(running);
  });
});

describe("Slots", () => {
  it("grants at most the given number, first come, first served", async () => {
    const two = new Slots(2);
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(Array.from({ length: 10 }, async (_, i) => {
      await two.take(undefined);
      order.push(i);
      most = Math.max(most, ++inside);
      await sleep(1);
      inside--;
      two.give();
    }));
    assert.equal(most, 2);
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("skips aborted requests", async () => {
    const one = new Slots(1);
    await one.take(undefined);
    const controller = new AbortController();
    const gone = one.take(controller.signal);
    const next = one.take(undefined);
    controller.abort(new Error("gone"));
    await assert.rejects(gone, /gone/);
    one.give();
    await next;
  });
});
