/** The output buffers for token ids: reused memory, and results in arrays of their own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Tokenizer } from "../mod.ts";
import { WordBuffer } from "../src/tokenizer/word_buffer.ts";

/** More than the reused buffer ever holds. */
const LONG = 2_000_000;

describe("WordBuffer", () => {
  it("reuses the memory of long results, and returns each in its own array", () => {
    const buffer = new WordBuffer();
    const used = new Set<ArrayBuffer>();
    const collect = (count: number, value: number) =>
      buffer.collect(LONG, (words) => {
        used.add(words.buffer);
        words.fill(value, 0, count);
        return count;
      });
    const first = collect(1_000_000, 1);
    const second = collect(5, 2);
    assert.equal(used.size, 1);
    assert.deepEqual([first.length, second.length], [1_000_000, 5]);
    assert.deepEqual([first[0], first.at(-1), second[0]], [1, 1, 2]);
    assert.ok(!used.has(first.buffer) && !used.has(second.buffer));
    assert.equal(first.buffer.byteLength, 4_000_000);
  });

  it("allocates rarely for texts of growing length, since nothing is collected within a turn", () => {
    const buffer = new WordBuffer();
    const used = new Set<ArrayBuffer>();
    for (let bytes = LONG; bytes < 2 * LONG; bytes += LONG / 100) {
      buffer.collect(bytes, (words) => {
        used.add(words.buffer);
        return 1;
      });
    }
    assert.ok(used.size <= 3, `${used.size} memories`);
  });

  it("is filled again if a long text has more ids than half its bytes", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const text = "a1".repeat(LONG / 2);
    const ids = tokenizer.encode(text);
    assert.equal(ids.length, LONG);
    assert.equal(tokenizer.count(text), LONG);
    const [a, one] = tokenizer.encode("a1");
    assert.ok(ids.every((id, i) => id === (i % 2 === 0 ? a : one)));
  });
});
