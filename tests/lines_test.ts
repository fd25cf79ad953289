/** Chunks of JSON Lines and columns of texts: equal to `JSON.parse` and one call for each text. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type EncodeLinesOptions,
  lineReason,
  type SpecialTokenMode,
  type TextColumn,
  Tokenizer,
} from "../mod.ts";
import { FIELDS, jsonLines } from "./support/json_lines.ts";
import { naiveCountLines, naiveEncodeColumn, naiveEncodeLines } from "./support/naive_lines.ts";

const utf8 = new TextEncoder();
const RUNS = Number(process.env["RUNS"] ?? 1_000);

const tokenizer = new Tokenizer("o200k_base");
/** Not the one that is tested, whose results last until its next call. */
const plain = new Tokenizer("o200k_base");

function encodeWith(special: SpecialTokenMode): (text: string) => Uint32Array {
  return (text) => plain.encode(text, { special });
}

const options = fc.record({
  field: fc.constantFrom(...FIELDS),
  isLast: fc.boolean(),
  dtype: fc.constantFrom("u16", "u32"),
  special: fc.constantFrom("text", "allow", "error"),
  eos: fc.option(
    fc.record({ id: fc.constantFrom(0, 50256), at: fc.constantFrom("append", "prepend") }),
    { nil: undefined },
  ),
});

function lines(...lines: (string | Uint8Array)[]): Uint8Array {
  const bytes = lines.flatMap((line) => [
    ...(typeof line === "string" ? utf8.encode(line) : line),
    0x0a,
  ]);
  return Uint8Array.from(bytes);
}

function reasonsOf(bytes: Uint8Array, options: EncodeLinesOptions = {}): string[] {
  return Array.from(tokenizer.encodeLines(bytes, options).reasons, lineReason);
}

describe("encodeLines and countLines", () => {
  it("equal JSON.parse and one call for each text", () => {
    fc.assert(
      fc.property(jsonLines, options, (bytes, given) => {
        const encode = encodeWith(given.special);
        assert.deepEqual(
          tokenizer.encodeLines(bytes, given),
          naiveEncodeLines(bytes, { ...given, encode }),
        );
        const { field, isLast, special } = given;
        assert.deepEqual(
          tokenizer.countLines(bytes, { field, isLast, special }),
          naiveCountLines(bytes, { field, isLast, encode }),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it("equal them off the event loop", async () => {
    await fc.assert(
      fc.asyncProperty(jsonLines, options, async (bytes, given) => {
        const encode = encodeWith(given.special);
        const encoded = tokenizer.encodeLinesAsync(bytes, given);
        const { field, isLast, special } = given;
        const counted = tokenizer.countLinesAsync(bytes, { field, isLast, special });
        assert.deepEqual(await encoded, naiveEncodeLines(bytes, { ...given, encode }));
        assert.deepEqual(await counted, naiveCountLines(bytes, { field, isLast, encode }));
      }),
      { numRuns: 30 },
    );
  });

  it("tell for each line why it has no text", () => {
    const bytes = lines(
      '{"text":"Hello"}',
      " \t\r",
      "\u00a0",
      "nonsense",
      '{"text":"torn',
      '{"text":"Hello"} trailing',
      '"text"',
      "[1]",
      '{"body":"Hello"}',
      '{"text":null}',
      Uint8Array.of(0x7b, 0xff, 0x7d),
      '{"text":"<|endoftext|>"}',
    );
    const expected = [
      ...[
        "ok",
        "blank",
        "not-json",
        "not-json",
        "not-json",
        "not-json",
        "not-object",
        "not-object",
      ],
      ...["no-field", "not-string", "not-utf8", "special-token"],
    ];
    const { reasons, bad, lines: number, ends } = tokenizer.encodeLines(bytes, {
      special: "error",
      eos: { id: 199999 },
    });
    assert.deepEqual(Array.from(reasons, lineReason), expected);
    assert.deepEqual([bad, number], [10, 12]);
    assert.deepEqual([...ends], Array(12).fill(2));
    assert.deepEqual(reasonsOf(lines('{"text":"Hello"}'), { dtype: "u16" }), ["ok"]);
    const wide = tokenizer.encode(" anthropomorphism").some((id) => id > 0xffff);
    assert.ok(wide);
    const text = lines('{"text":" anthropomorphism"}', '{"text":"Hello"}');
    assert.deepEqual(reasonsOf(text, { dtype: "u16" }), ["too-wide", "ok"]);
    assert.throws(() => lineReason(10), RangeError);
  });

  it("read hostile lines as JSON.parse reads them", () => {
    const deep = 1_000_000;
    const nested = `{"n":${"[".repeat(deep)}${"]".repeat(deep)},"text":"x"}`;
    const open = `{"n":${"[".repeat(deep)}`;
    const bytes = lines(
      nested,
      open,
      `${"{".repeat(2)}`,
      String.raw`{"text":"\u0000 \ud800 a"}`,
      '{"text":"\u0000"}',
      '{"text":"a","text":"b c"}',
      '{"text":"a","text":7}',
      String.raw`{"te\u0078t":"escaped name"}`,
      String.raw`{"\ud800":1,"text":"a name that is no UTF-8"}`,
      '{"__proto__":{"text":"no"},"n":1e999,"text":"yes"}',
      '\ufeff{"text":"BOM"}',
      '{"text":"CRLF"}\r',
      '{"text":"\u2028\u2029 line separators"}',
      '{"text":"tab\tin it"}',
    );
    assert.deepEqual(
      tokenizer.encodeLines(bytes),
      naiveEncodeLines(bytes, { encode: encodeWith("text") }),
    );
  });

  it("take lines that are longer than a block, with and without escapes", () => {
    const long = "The quick brown fox. ".repeat(100_000);
    const escaped = 'He said "no".\n'.repeat(100_000);
    const values = [
      long,
      "short",
      escaped,
      long.slice(0, 1_500),
      'a\n"b"',
      escaped.slice(0, 140_000),
    ];
    const bytes = utf8.encode(values.map((text) => JSON.stringify({ id: 7, text })).join("\n"));
    const { ids, ends, consumed } = tokenizer.encodeLines(bytes, { eos: { id: 9 } });
    let start = 0;
    values.forEach((text, i) => {
      const own = [...ids.subarray(start, ends[i])];
      assert.deepEqual(own, [...plain.encode(text), 9]);
      start = ends[i]!;
    });
    assert.equal(consumed, bytes.length);
  });

  it("give as many ids as a text has bytes, and empty lines without number", () => {
    // Hardly any merges: more ids than are expected.
    const rare = "\u{10abcd}".repeat(50_000);
    const bytes = utf8.encode(`{"text":"${rare}"}\n${"\n".repeat(100_000)}`);
    const { ids, lines: number, bad } = tokenizer.encodeLines(bytes);
    assert.ok(ids.length > bytes.length / 2);
    assert.deepEqual(ids, plain.encode(rare));
    assert.deepEqual([number, bad], [100_001, 0]);
    assert.equal(tokenizer.countLines(bytes).counts[0], ids.length);
  });

  it("splice in what JSON.parse decides, wherever it is", () => {
    const good = '{"text":"Hello, world!"}';
    const unsure = String.raw`{"\ud800":0,"text":"one two"}`;
    for (const order of ["1", "10", "01", "110", "001001", "1210"]) {
      const bytes = lines(
        ...Array.from(order, (kind) => kind === "0" ? good : kind === "1" ? unsure : "bad"),
      );
      for (const dtype of ["u16", "u32"] as const) {
        const eos = { id: 7, at: "prepend" } as const;
        assert.deepEqual(
          tokenizer.encodeLines(bytes, { dtype, eos }),
          naiveEncodeLines(bytes, { dtype, eos, encode: encodeWith("text") }),
          order,
        );
      }
    }
  });

  it("refuse wrong arguments", () => {
    const bytes = lines("{}");
    const call = (options: unknown) => tokenizer.encodeLines(bytes, options as EncodeLinesOptions);
    assert.throws(() => tokenizer.encodeLines("{}" as never), /bytes must be a Uint8Array/);
    assert.throws(() => call({ field: 7 }), /field must be a string, not 7/);
    assert.throws(() => call({ field: "\ud800" }), RangeError);
    assert.throws(() => call({ dtype: "u64" }), /dtype must be one of "u16", "u32", not "u64"/);
    assert.throws(() => call({ dtype: "u16", eos: { id: 70_000 } }), /eos.id .* not 70000/);
    assert.throws(() => call({ eos: { id: 2 ** 32 - 1 } }), RangeError);
    assert.throws(() => call({ eos: { id: 1, at: "middle" } }), /eos.at must be one of/);
    assert.throws(() => call({ eos: { id: 1, where: "after" } }), TypeError);
    assert.throws(() => call({ fields: "x" }), TypeError);
    assert.throws(() => call({ isLast: 1 }), TypeError);
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    assert.throws(() => tokenizer.encodeLines(shared), /SharedArrayBuffer/);
    const closed = new Tokenizer("o200k_base");
    closed.encodeLines(bytes);
    closed.close();
    assert.throws(() => closed.encodeLines(bytes), { code: "SLUICE_DISPOSED" });
    assert.throws(() => closed.countColumn({ offsets: Int32Array.of(0), values: bytes }), {
      code: "SLUICE_DISPOSED",
    });
  });

  it("stop off the event loop when the signal aborts", async () => {
    const bytes = utf8.encode(`{"text":"${"word ".repeat(4_000_000)}"}`);
    const stop = new AbortController();
    const encoded = tokenizer.encodeLinesAsync(bytes, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 5);
    await assert.rejects(encoded, /enough/);
    await assert.rejects(tokenizer.countLinesAsync(bytes, { signal: stop.signal }), /enough/);
    const changing = utf8.encode(`{"text":"${"word ".repeat(400_000)}"}`);
    const changed = tokenizer.encodeLinesAsync(changing);
    changing.buffer.transfer();
    await assert.rejects(changed, TypeError);
  });
});

/** Rows as Arrow has them, some of them null, empty or not UTF-8. */
const columns: fc.Arbitrary<TextColumn> = fc.tuple(
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("", "Hello", "naïve 中文 🙂", "<|endoftext|>") },
      { weight: 4, arbitrary: fc.nat(400).map((n) => "long words ".repeat(n)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(null, Uint8Array.of(0xff), Uint8Array.of(0xe4, 0xb8)),
      },
      { weight: 1, arbitrary: fc.constant(Uint8Array.of(0xad)) },
    ),
    { maxLength: 20 },
  ),
  fc.boolean(),
  fc.boolean(),
  fc.nat(3),
).map(([rows, isLarge, hasValid, before]) => {
  const parts = rows.map((row) =>
    typeof row === "string" ? utf8.encode(row) : row ?? utf8.encode("?")
  );
  const offsets = [before];
  for (const part of parts) offsets.push(offsets.at(-1)! + part.length);
  const values = new Uint8Array(offsets.at(-1)! + 2);
  parts.forEach((part, i) => values.set(part, offsets[i]!));
  return {
    offsets: isLarge ? BigInt64Array.from(offsets, BigInt) : Int32Array.from(offsets),
    values,
    ...hasValid || rows.includes(null)
      ? { valid: Uint8Array.from(rows, (row) => row === null ? 0 : 1) }
      : {},
  };
});

describe("encodeColumn and countColumn", () => {
  it("equal one call for each row", async () => {
    await fc.assert(
      fc.asyncProperty(columns, options, fc.boolean(), async (column, given, isAsync) => {
        const { dtype, special, eos } = given;
        const encode = encodeWith(special);
        const own = { dtype, special, eos };
        const expected = naiveEncodeColumn(column, { ...own, encode });
        const encoded = isAsync
          ? await tokenizer.encodeColumnAsync(column, own)
          : tokenizer.encodeColumn(column, own);
        assert.deepEqual(encoded, expected);
        const { ends, reasons, bad } = naiveEncodeColumn(column, { encode });
        const counts = ends.map((end, i) => end - (i === 0 ? 0 : ends[i - 1]!));
        assert.deepEqual(tokenizer.countColumn(column, { special }), { counts, reasons, bad });
      }),
      { numRuns: 150 },
    );
  });

  it("ask for no more room than a runtime has, however large the values are", (test) => {
    let values: Uint8Array;
    try {
      // The system gives the pages when they are written, which nothing does.
      values = new Uint8Array(2 ** 31 + 2);
    } catch {
      return test.skip("there is not enough memory");
    }
    const { ids, ends } = tokenizer.encodeColumn({ offsets: Int32Array.of(0, 0), values });
    assert.deepEqual([[...ids], [...ends]], [[], [0]]);
  });

  it("refuse columns that contradict themselves", () => {
    const values = utf8.encode("Hello");
    const call = (column: unknown) => () => tokenizer.encodeColumn(column as TextColumn);
    assert.throws(call({ offsets: [0, 5], values }), /offsets must be an Int32Array or/);
    assert.throws(call({ offsets: new Int32Array(0), values }), RangeError);
    assert.throws(call({ offsets: Int32Array.of(0, 6), values }), /offsets\[1\] .* 0 to 5, not 6/);
    assert.throws(
      call({ offsets: Int32Array.of(0, 3, 2), values }),
      /offsets\[2\] .* 3 to 5, not 2/,
    );
    assert.throws(call({ offsets: Int32Array.of(-1, 3), values }), /offsets\[0\] .*, not -1/);
    assert.throws(call({ offsets: BigInt64Array.of(0n, 1n << 40n), values }), RangeError);
    assert.throws(call({ offsets: BigInt64Array.of(-1n << 40n, 1n), values }), RangeError);
    // Without their signs they ascend.
    assert.throws(call({ offsets: Int32Array.of(0, -5), values }), /offsets\[1\] .*, not -5/);
    assert.throws(call({ offsets: BigInt64Array.of(-3n, -1n), values }), /offsets\[0\] .*, not -3/);
    const valid = new Uint8Array(2);
    assert.throws(call({ offsets: Int32Array.of(0, 5), values, valid }), /each of 1 rows, not 2/);
    assert.throws(call({ offsets: Int32Array.of(0, 5), values: "Hello" }), TypeError);
    assert.throws(call({ offsets: Int32Array.of(0, 5), value: values }), TypeError);
    assert.throws(call(null), TypeError);
  });
});
