/** What only Deno has: a copy of what V8 makes a string of. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Serializer } from "node:v8";
import { delay } from "../../../src/delay.ts";
import { denoBackend, unitsIn } from "../../../src/ffi/deno.ts";

const LENGTHS = [1, 2, 63, 64, 127, 128, 129, 8_191, 8_192, 16_384, 1 << 18];

function serialize(value: unknown): Uint8Array {
  const serializer = new Serializer();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

describe("the units of a string", () => {
  const { unitsOf } = denoBackend()!;

  it("are there after some long texts, because a slow path alone would go unnoticed", async () => {
    const long = "—".repeat(1 << 17);
    let texts = 1;
    for (; unitsOf!(long) === undefined && texts < 100; texts++) await delay(10);
    assert.equal(texts, 17);
    for (const length of LENGTHS) {
      const latin1 = unitsOf!("é".repeat(length));
      assert.equal(latin1?.size, 1);
      assert.deepEqual(Uint8Array.from(latin1.bytes), new Uint8Array(length).fill(0xe9));
      const utf16 = unitsOf!("—".repeat(length));
      assert.equal(utf16?.size, 2);
      const expected = Uint8Array.from({ length: 2 * length }, (_, i) => [0x14, 0x20][i % 2]!);
      assert.deepEqual(Uint8Array.from(utf16.bytes), expected);
    }
  });

  it("are there after more of them where the event loop never runs", async () => {
    const fresh = new URL("../../../src/ffi/deno.ts?fresh", import.meta.url).href;
    const module = await import(fresh) as { denoBackend: typeof denoBackend };
    const { unitsOf } = module.denoBackend()!;
    const long = "—".repeat(1 << 17);
    let texts = 1;
    while (unitsOf!(long) === undefined && texts < 1000) texts++;
    assert.equal(texts, 128);
  });

  it("are nothing that is not the whole of one string", () => {
    for (const [text, other] of [["éa", "éab"], ["—a", "—ab"], ["—", "éa"]] as const) {
      assert.equal(unitsIn(serialize(text), other.length), undefined);
    }
    for (const value of [{ a: "éé" }, ["—"], new String("—"), 1, null, true]) {
      const bytes = serialize(value);
      for (let length = 0; length <= bytes.length; length++) {
        assert.equal(unitsIn(bytes, length), undefined, `${JSON.stringify(value)} ${length}`);
      }
    }
    const changed = serialize("—");
    assert.ok(unitsIn(changed, 1));
    changed[0] = 0xfe;
    assert.equal(unitsIn(changed, 1), undefined);
    assert.equal(unitsIn(new Uint8Array(0), 0), undefined);
  });
});
