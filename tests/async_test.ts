/** Off the event loop: the same results, with the loop running meanwhile. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { Tokenizer, type Tokenizer as T } from "../mod.ts";
import { slots } from "../src/tokenizer/job.ts";
import { Slots } from "../src/tokenizer/slots.ts";

const utf8 = new TextEncoder();
/** Long enough for a job, with a surrogate pair on most places where a slice may end. */
const LONG = "Größe 中文 🙂🙂🙂 word ".repeat(20_000);

function busy(tokenizer: T): Promise<number> {
  return tokenizer.countAsync("The quick brown fox. ".repeat(400_000));
}

describe("countAsync and its family", () => {
  const open = new Tokenizer("o200k_base");

  it("give what the synchronous calls give, for strings and for bytes", async () => {
    for (const text of ["", "Hello, world!", LONG, "\ud83d" + "x".repeat(70_000) + "\ude00"]) {
      const expected = open.encode(text);
      for (const form of [text, utf8.encode(text)]) {
        assert.equal(await open.countAsync(form), expected.length);
        assert.deepEqual(await open.encodeAsync(form), expected);
      }
    }
  });

  it("give it wherever slices end", async () => {
    const emoji = fc.integer({ min: 65_530, max: 65_540 })
      .map((n) => "a".repeat(n) + "🙂".repeat(40_000));
    await fc.assert(
      fc.asyncProperty(emoji, async (text) => {
        assert.deepEqual(await open.encodeAsync(text), open.encode(text));
      }),
      { numRuns: 8 },
    );
  });

  it("give for batches what the synchronous calls give", async () => {
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

  it("treat special tokens as asked, and name the one that is refused", async () => {
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
    // Slow to count, and in one text or in many: what holds the loop is seen at its beginning and end too.
    const text = "\u0301".repeat(40_000_000);
    const texts = Array.from({ length: 20_000 }, (_, i) => "\u0301".repeat(2_000 + i % 2));
    for (
      const [once, call] of [
        [() => open.count(text), () => open.countAsync(text)],
        [() => open.countBatch(texts, { threads: 1 }), () => open.countBatchAsync(texts)],
        [() => open.encodeBatch(texts, { threads: 1 }), () => open.encodeBatchAsync(texts)],
      ] as const
    ) {
      const blocked = await longestHold(once);
      const held = await longestHold(call);
      // The bench has the exact figure; here it is enough that it is not the synchronous call's.
      assert.ok(held < blocked / 4, `held ${held} ms of ${blocked} ms`);
    }
  });

  it("let it run also where there are many texts of nothing", async () => {
    const texts = Array.from({ length: 2_000_000 }, () => "");
    // Not by the clock: to copy the array, which has to be done at once, takes as long as to count.
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

  it("take what they were given, whatever becomes of the array", async () => {
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

/** The longest that the event loop is held while `work` is under way, in milliseconds. */
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
  // One more tick, so that a hold that lasted to the end is seen.
  await sleep(5);
  clearInterval(timer);
  return worst;
}

describe("AbortSignal", () => {
  const open = new Tokenizer("o200k_base");

  it("stops what has not begun", async () => {
    const reason = new Error("not needed");
    for (const text of ["short", LONG]) {
      await assert.rejects(open.countAsync(text, { signal: AbortSignal.abort(reason) }), reason);
      await assert.rejects(open.encodeBatchAsync([text], { signal: AbortSignal.abort(reason) }));
    }
  });

  it("stops what is under way, with the reason that was given", async () => {
    const controller = new AbortController();
    const counting = open.countAsync("z".repeat(60_000_000), { signal: controller.signal });
    await sleep(20);
    const aborted = performance.now();
    controller.abort(new Error("changed my mind"));
    await assert.rejects(counting, /changed my mind/);
    assert.ok(performance.now() - aborted < 2_000);
    assert.equal(await open.countAsync(LONG), open.count(LONG));
  });

  it("keeps its place until no thread is at it any more", async () => {
    // One text of which nothing can be cut off: a thread that has begun it counts it to the end.
    const text = "\u0301".repeat(20_000_000);
    const places = slots.free;
    let kept = false;
    for (let delay = 50; !kept && delay < 2_000; delay *= 2) {
      const controller = new AbortController();
      const counting = open.countAsync(text, { signal: controller.signal });
      const rejected = assert.rejects(counting, /changed my mind/);
      await sleep(delay);
      controller.abort(new Error("changed my mind"));
      await rejected;
      kept = slots.free < places;
      while (slots.free < places) await sleep(5);
    }
    assert.ok(kept, "the place was free while a thread was at the text, or it never was");
  });

  it("frees a place in line at once", async () => {
    const running = Array.from({ length: 4 }, () => busy(open));
    const controller = new AbortController();
    const waiting = open.countAsync(LONG, { signal: controller.signal });
    controller.abort(new Error("gone"));
    await assert.rejects(waiting, /gone/);
    await Promise.all(running);
  });
});

describe("Slots", () => {
  it("lets no more in than there are, first come first served", async () => {
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

  it("skips those who gave up", async () => {
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
