import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type SluiceError, Tokenizer } from "../mod.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

const NOT_TEXT: [unknown, RegExp][] = [
  [null, /text must be a string or a Uint8Array, not null/],
  [undefined, /not undefined/],
  [42, /not 42/],
  [NaN, /not NaN/],
  [{}, /not an instance of Object/],
  [Object.create(null), /not an instance of Object/],
  [[1, 2], /not an array/],
  [new Uint16Array(2), /not an instance of Uint16Array/],
  [new ArrayBuffer(2), /not an instance of ArrayBuffer/],
  [Symbol("x"), /not a symbol/],
  [10n, /not 10n/],
];

function detached(): Uint8Array {
  const bytes = new Uint8Array([104, 105]);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

describe("bad input", () => {
  it("names an unknown encoding and the nearest known one", () => {
    assert.throws(() => new Tokenizer(any("o200k_bas")), (error: SluiceError) => {
      assert.equal(error.code, "SLUICE_UNKNOWN_ENCODING");
      assert.match(error.message, /Unknown encoding "o200k_bas"\. Did you mean "o200k_base"\?/);
      return true;
    });
    assert.throws(() => new Tokenizer(any("cl100k")), /Did you mean "cl100k_base"\?/);
    assert.throws(() => new Tokenizer(any("xyz")), (error: SluiceError) => {
      assert.doesNotMatch(error.message, /Did you mean/);
      return true;
    });
    assert.throws(() => new Tokenizer(any("constructor")), { code: "SLUICE_UNKNOWN_ENCODING" });
    assert.throws(() => new Tokenizer(any("x".repeat(1e6))), { code: "SLUICE_UNKNOWN_ENCODING" });
    assert.throws(() => new Tokenizer(any(7)), /TypeError: encoding must be a string, not 7/);
  });

  it("refuses what is not a text, in every method", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const [value, message] of NOT_TEXT) {
      for (
        const call of [
          () => tokenizer.count(any(value)),
          () => tokenizer.encode(any(value)),
          () => tokenizer.encodeInto(any(value), new Uint32Array(8)),
          () => tokenizer.isWithinLimit(any(value), 3),
        ]
      ) {
        assert.throws(call, (error: Error) => {
          assert.equal(error.name, "TypeError");
          assert.match(error.message, message);
          return true;
        });
      }
    }
  });

  it("refuses wrong outputs for ids", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (
      const [value, message] of [
        [undefined, /ids must be a Uint32Array, not undefined/],
        [[1, 2], /ids must be a Uint32Array, not an array/],
        [new Uint8Array(8), /ids must be a Uint32Array, not an instance of Uint8Array/],
        [
          new Uint32Array(new SharedArrayBuffer(8)),
          /ids must not be backed by a SharedArrayBuffer/,
        ],
      ] as const
    ) {
      assert.throws(() => tokenizer.encodeInto("x", any(value)), (error: Error) => {
        assert.equal(error.name, "TypeError");
        assert.match(error.message, message);
        return true;
      });
    }
    const gone = new Uint32Array(8);
    structuredClone(gone, { transfer: [gone.buffer] });
    assert.throws(() => tokenizer.encodeInto("x", gone), /detached/);
    const both = new ArrayBuffer(64);
    const text = new Uint8Array(both, 30, 4).fill(97);
    assert.throws(() => tokenizer.encodeInto(text, new Uint32Array(both, 0, 8)), {
      name: "TypeError",
      message: "ids must not overlap text in memory",
    });
    assert.equal(tokenizer.encodeInto(text, new Uint32Array(both, 36, 7)), 1);
  });

  it("names the element of a batch that is not a text", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const call of ["countBatch", "encodeBatch"] as const) {
      assert.throws(() => tokenizer[call](any(["a", null])), /texts\[1\] must be a string/);
      assert.throws(() => tokenizer[call](any([, "a"])), /texts\[0\] must be a string/);
      assert.throws(() => tokenizer[call](any("a")), /texts must be an array, not "a"/);
      assert.throws(() => tokenizer[call](any({ length: 1 })), /texts must be an array/);
      assert.throws(() => tokenizer[call](["a"], { threads: -1 }), RangeError);
      assert.throws(() => tokenizer[call](["a"], { threads: any("2") }), /threads must be/);
    }
  });

  it("refuses detached and shared memory", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    for (const call of ["count", "encode"] as const) {
      assert.throws(() => tokenizer[call](detached()), /detached ArrayBuffer/);
      assert.throws(() => tokenizer[call](any(shared)), /SharedArrayBuffer/);
    }
    assert.throws(() => tokenizer.countBatch([detached()]), /texts\[0\] is backed by a detached/);
    const ids = new Uint32Array([1]);
    structuredClone(ids.buffer, { transfer: [ids.buffer] });
    assert.throws(() => tokenizer.decode(ids), /ids is backed by a detached ArrayBuffer/);
    assert.throws(
      () => tokenizer.decode(any(new Uint32Array(new SharedArrayBuffer(4)))),
      TypeError,
    );
  });

  it("refuses more bytes than 32 bits count", async (test) => {
    using tokenizer = new Tokenizer("o200k_base");
    let bytes: Uint8Array;
    try {
      // The system gives the pages when they are written, which nothing does.
      bytes = new Uint8Array(2 ** 32);
    } catch {
      return test.skip("there is not enough memory");
    }
    const message = /must have at most 4294967295 elements, not 4294967296/;
    const refused = (call: () => unknown) =>
      assert.throws(call, (error) => error instanceof RangeError && message.test(error.message));
    refused(() => tokenizer.count(bytes));
    refused(() => tokenizer.encode(bytes));
    refused(() => tokenizer.countBatch([bytes]));
    refused(() => tokenizer.countLines(bytes));
    refused(() => tokenizer.encodeLines(bytes));
    refused(() => tokenizer.encodeColumn({ offsets: Int32Array.of(0, 1), values: bytes }));
    await assert.rejects(tokenizer.countAsync(bytes), message);
    await assert.rejects(tokenizer.encodeLinesAsync(bytes), message);
  });

  it("refuses bytes that are not UTF-8 and says where", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const wrong: [number[], number][] = [
      [[0xff], 0],
      [[97, 98, 0xe2, 0x82], 2],
      [[0xed, 0xa0, 0x80], 0],
      [[0xc0, 0x80], 0],
      [[97, 0x80], 1],
    ];
    for (const [bytes, at] of wrong) {
      assert.throws(() => tokenizer.count(new Uint8Array(bytes)), (error: SluiceError) => {
        assert.equal(error.code, "SLUICE_INVALID_UTF8");
        assert.match(error.message, new RegExp(`at byte ${at}$`));
        return true;
      });
    }
    assert.throws(() => tokenizer.countBatch(["ok", new Uint8Array([0xff])]), {
      code: "SLUICE_INVALID_UTF8",
    });
  });

  it("refuses ids that are in no vocabulary", () => {
    using tokenizer = new Tokenizer("r50k_base");
    for (const id of [50257, 2 ** 31, 2 ** 32 - 1]) {
      assert.throws(() => tokenizer.decode([1, id]), (error: SluiceError) => {
        assert.equal(error.code, "SLUICE_UNKNOWN_TOKEN");
        assert.match(error.message, new RegExp(`${id} at index 1`));
        return true;
      });
      assert.throws(() => tokenizer.decodeBytes(new Uint32Array([id])), {
        code: "SLUICE_UNKNOWN_TOKEN",
      });
    }
    for (const id of [-1, 1.5, NaN, Infinity, 2 ** 32]) {
      assert.throws(() => tokenizer.decode([id]), /RangeError: ids\[0\] must be an integer/);
    }
    assert.throws(() => tokenizer.decode(any(["1"])), /ids\[0\] must be a number, not "1"/);
    assert.throws(() => tokenizer.decode(any("1")), /ids must be a Uint32Array or an array/);
    assert.throws(() => tokenizer.decode(any(null)), TypeError);
  });

  it("refuses wrong limits", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const limit of [NaN, -1, 1.5, -Infinity]) {
      assert.throws(() => tokenizer.isWithinLimit("x", limit), {
        name: "RangeError",
        message: `limit must be a non-negative integer or Infinity, not ${limit}`,
      });
    }
    assert.throws(() => tokenizer.isWithinLimit("x", any("3")), /limit must be a number, not "3"/);
    assert.throws(() => tokenizer.isWithinLimit("x", any(3n)), /limit must be a number, not 3n/);
  });

  it("refuses unknown modes of special tokens", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (const special of ["none", "constructor", 1, null]) {
      assert.throws(
        () => tokenizer.count("x", { special: any(special) }),
        /special must be "text"/,
      );
    }
    assert.throws(() => new Tokenizer("o200k_base", { special: any("all") }), TypeError);
  });

  it("refuses use after close, by every method, and lets close be called again", () => {
    const tokenizer = new Tokenizer("o200k_base");
    tokenizer.close();
    tokenizer.close();
    tokenizer[Symbol.dispose]();
    const calls = [
      () => tokenizer.count("x"),
      () => tokenizer.encode("x"),
      () => tokenizer.encodeInto("x", new Uint32Array(1)),
      () => tokenizer.decode([1]),
      () => tokenizer.decodeBytes([1]),
      () => tokenizer.isWithinLimit("x", 3),
      () => tokenizer.isWithinLimit(new Uint8Array(1), 3),
      () => tokenizer.countBatch([]),
      () => tokenizer.encodeBatch(["x"]),
    ];
    for (const call of calls) {
      assert.throws(call, {
        name: "SluiceError",
        code: "SLUICE_DISPOSED",
        message: "This o200k_base tokenizer is closed",
      });
    }
  });

  it("is usable after every refusal", () => {
    using tokenizer = new Tokenizer("o200k_base");
    for (let i = 0; i < 1000; i++) {
      assert.throws(() => tokenizer.count(new Uint8Array([0xff])));
      assert.equal(tokenizer.count("Hello, world!"), 4);
    }
  });
});
