/** The formats of token files: their bytes, and that what was written is read again however it was cut into blocks. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { flatFormat } from "../src/corpus/formats/flat.ts";
import { type Block, FORMAT_NAMES, FormatError, formatOf } from "../src/corpus/formats/mod.ts";
import { block, folder, U16, U32, write } from "./support/token_files.ts";

const DOCUMENTS = [[1, 2, 199_999], [], [65_536]];
const IDS = [...u32(1), ...u32(2), ...u32(199_999), ...u32(65_536)];
const ENDS = [...u64(3), ...u64(3), ...u64(4)];

function u32(n: number): number[] {
  return [n & 255, n >> 8 & 255, n >> 16 & 255, n >>> 24];
}

function u64(n: number): number[] {
  return [...u32(n), 0, 0, 0, 0];
}

function text(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

describe("bytes", () => {
  test("bin is the ids and the ends of documents", async () => {
    const shard = await write("bin", [block(DOCUMENTS, U32)], U32);
    assert.deepEqual(shard.bytes(".bin"), IDS);
    assert.deepEqual(shard.bytes(".idx"), ENDS);
    const narrow = await write("bin", [block([[258], [7]], U16)], U16);
    assert.deepEqual(narrow.bytes(".bin"), [2, 1, 7, 0]);
  });

  test("npy is the same behind headers with the shape", async () => {
    const shard = await write("npy", [block(DOCUMENTS, U32)], U32);
    assert.deepEqual(shard.bytes(".npy"), [...npyHeader("<u4", "(4,)"), ...IDS]);
    assert.deepEqual(shard.bytes(".idx.npy"), [...npyHeader("<u8", "(3,)"), ...ENDS]);
    const narrow = await write("npy", [block([[258]], U16)], U16);
    assert.deepEqual(narrow.bytes(".npy"), [...npyHeader("<u2", "(1,)"), 2, 1]);
  });

  test("npy has two dimensions if rows are filled up", async () => {
    const blocks = [block([[1, 2, 3]], U32)];
    const padded = await write("npy", blocks, { ...U32, pack: { length: 2, pad: 0 } });
    assert.deepEqual(padded.bytes(".npy").slice(0, 128), npyHeader("<u4", "(2, 2)"));
    const ragged = await write("npy", blocks, { ...U32, pack: { length: 2, pad: null } });
    assert.deepEqual(ragged.bytes(".npy").slice(0, 128), npyHeader("<u4", "(3,)"));
    const empty = await write("npy", [], { ...U32, pack: { length: 2, pad: 0 } });
    assert.deepEqual(empty.bytes(".npy"), npyHeader("<u4", "(0, 2)"));
  });

  test("llmc has the magic numbers, versions and counts of its header", async () => {
    const shard = await write("llmc", [block(DOCUMENTS, U32)], U32);
    const header = [...u32(20240801), ...u32(7), ...u32(4), ...new Array<number>(1012).fill(0)];
    assert.deepEqual(shard.bytes(".bin"), [...header, ...IDS]);
    assert.deepEqual(shard.bytes(".idx"), ENDS);
    const narrow = await write("llmc", [block([[258]], U16)], U16);
    const bytes = narrow.bytes(".bin");
    assert.deepEqual(bytes.slice(0, 12), [...u32(20240520), ...u32(1), ...u32(1)]);
    assert.deepEqual(bytes.slice(1024), [2, 1]);
  });

  test("megatron has lengths, pointers and documents; one without ids has no sequence", async () => {
    const shard = await write("megatron", [block(DOCUMENTS, U32)], U32);
    assert.deepEqual(shard.bytes(".bin"), IDS);
    assert.deepEqual(shard.bytes(".idx"), [
      ...text("MMIDIDX\0\0"),
      ...u64(1),
      4,
      ...u64(2),
      ...u64(4),
      ...u32(3),
      ...u32(1),
      ...u64(0),
      ...u64(12),
      ...u64(0),
      ...u64(1),
      ...u64(1),
      ...u64(2),
    ]);
    const narrow = await write("megatron", [block([[258]], U16)], U16);
    assert.equal(narrow.bytes(".idx")[17], 8);
  });

  test("jsonl has a line of decimal ids for each document, and its identifier", async () => {
    const shard = await write("jsonl", [block(DOCUMENTS, U32)], U32);
    assert.deepEqual(
      shard.bytes(".jsonl"),
      text('{"ids":[1,2,199999]}\n{"ids":[]}\n{"ids":[65536]}\n'),
    );
    const named = await write(
      "jsonl",
      [{ ...block(DOCUMENTS, U32), names: ["a", undefined, '"\u2028'] }],
      { ...U32, names: true },
    );
    assert.deepEqual(
      named.bytes(".jsonl"),
      text(
        '{"ids":[1,2,199999],"id":"a"}\n{"ids":[],"id":null}\n{"ids":[65536],"id":"\\"\u2028"}\n',
      ),
    );
  });

  test("identifiers can be longer than any buffer", async () => {
    const names = ["short", "x".repeat(3_000_000), "last"];
    const blocks = [{ ...block(DOCUMENTS, U32), names }];
    const { base } = await write("jsonl", blocks, { ...U32, names: true });
    const lines = fs.readFileSync(`${base}.jsonl`, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      DOCUMENTS.map((ids, n) => ({ ids, id: names[n] })),
    );
  });

  test("an arrow stream begins with its schema and ends with a mark", async () => {
    const empty = await write("arrow", [], U32);
    const schema = empty.bytes(".arrow");
    assert.deepEqual(schema.slice(0, 4), [255, 255, 255, 255]);
    assert.deepEqual(schema.slice(-8), [255, 255, 255, 255, 0, 0, 0, 0]);
    const shard = await write("arrow", [block(DOCUMENTS, U32)], U32);
    const bytes = shard.bytes(".arrow");
    assert.deepEqual(bytes.slice(0, schema.length - 8), schema.slice(0, -8));
    // The body is the ends as signed numbers of 32 bits and the ids, both filled up to 8 bytes.
    assert.deepEqual(bytes.slice(-40), [
      ...[0, 3, 3, 4].flatMap(u32),
      ...IDS,
      ...schema.slice(-8),
    ]);
  });
});

function npyHeader(type: string, shape: string): number[] {
  const description = `{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }`;
  return [0x93, ...text("NUMPY"), 1, 0, 118, 0, ...text(description.padEnd(117)), 10];
}

describe("blocks", () => {
  for (const name of FORMAT_NAMES) {
    test(`${name}: what was written is read, and blocks do not change the bytes`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(U32, U16).chain((options) =>
            fc.tuple(fc.constant(options), documentsOf(options === U16 ? 65_535 : 200_018))
          ),
          fc.infiniteStream(fc.nat(9)),
          async ([options, documents], cuts) => {
            const whole = await write(name, [block(documents, options)], options);
            assert.deepEqual(await whole.documents(), documents);
            const cut = await write(name, cutAt(block(documents, options), cuts), options);
            assert.deepEqual(cut.files, whole.files);
          },
        ),
        { numRuns: 12 },
      );
    });

    test(`${name}: long documents are read from the middle of large files`, async () => {
      const ends = new Uint32Array([100_000, 100_003, 400_000, 400_000, 450_000]);
      const ids = new Uint32Array(450_000).map((_, i) => (i * 2_654_435_761) % 200_019);
      const { base, files } = await write(name, [{ ids, ends }], U32);
      for (const n of [0, 1, 3, 4]) {
        const read = await formatOf(name).read((suffix) => base + suffix, n, U32);
        const expected = ids.subarray(ends[n - 1] ?? 0, ends[n]);
        assert.ok(Buffer.from(expected.slice().buffer).equals(Buffer.from(read!.slice().buffer)));
      }
      const cut = await write(name, cutAt({ ids, ends }, [99_999, 1, 2, 300_000, 50_000]), U32);
      assert.deepEqual(cut.files, files);
    });
  }
});

test("arrow: batches end within a block", async () => {
  const documents = Array.from({ length: 40_000 }, (_, n) => [n, n + 1].slice(n % 3 === 0 ? 1 : 0));
  const options = { ...U32, names: true };
  const names = documents.map((_, n) => String(n));
  const { base, files } = await write("arrow", [{ ...block(documents, options), names }], options);
  const pathOf = (suffix: string) => base + suffix;
  for (const n of [0, 16_383, 16_384, 32_768, 39_999]) {
    assert.deepEqual([...(await formatOf("arrow").read(pathOf, n, options))!], documents[n]);
  }
  const cut = [5000, 20_000, 40_000].map((end, i, ends) => {
    const [from, to] = [ends[i - 1] ?? 0, end];
    return { ...block(documents.slice(from, to), options), names: names.slice(from, to) };
  });
  assert.deepEqual((await write("arrow", cut, options)).files, files);
});

function documentsOf(largest: number): fc.Arbitrary<number[][]> {
  return fc.array(fc.array(fc.nat(largest), { maxLength: 12 }), { maxLength: 20 });
}

/** The same documents in several blocks, which end anywhere. */
function cutAt({ ids, ends }: Block, cuts: Iterable<number>): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  let ended = 0;
  for (const cut of cuts) {
    const to = Math.min(ids.length, from + cut);
    const first = ended;
    // A document that ends where the block does is ended in this block or in the next one.
    while (ended < ends.length && (ends[ended]! < to || (ends[ended] === to && cut % 2 === 0))) {
      ended++;
    }
    blocks.push({
      ids: ids.slice(from, to),
      ends: ends.slice(first, ended).map((end) => end - from),
    });
    from = to;
    if (from === ids.length && ended === ends.length) break;
  }
  return blocks;
}

describe("packing", () => {
  const documents = [[1, 2, 3], [4], [5, 6, 7]];
  const pack = (pad: number | null) => ({ ...U32, pack: { length: 3, pad } });

  test("makes rows of one length, and keeps the remainder", async () => {
    const shard = await write("bin", [block(documents, U32)], pack(null));
    assert.deepEqual(await shard.documents(), [[1, 2, 3], [4, 5, 6], [7]]);
  });

  test("fills up the last row if it is told to", async () => {
    const shard = await write("bin", [block(documents, U32)], pack(9));
    assert.deepEqual(await shard.documents(), [[1, 2, 3], [4, 5, 6], [7, 9, 9]]);
    const even = await write("bin", [block([[1, 2, 3]], U32)], pack(9));
    assert.deepEqual(await even.documents(), [[1, 2, 3]]);
  });

  for (const name of FORMAT_NAMES) {
    test(`${name}: rows do not depend on blocks`, async () => {
      const options = { ...pack(0), names: true };
      const blocks = cutAt(block(documents, U32), [2, 1, 3, 0, 4, 9]);
      const whole = await write(name, [block(documents, U32)], options);
      assert.deepEqual(await whole.documents(), [[1, 2, 3], [4, 5, 6], [7, 0, 0]]);
      assert.deepEqual((await write(name, blocks, options)).files, whole.files);
    });
  }

  test("refuses rows and pads that cannot be", async () => {
    await assert.rejects(write("bin", [], { ...U16, pack: { length: 0, pad: null } }), {
      name: "RangeError",
      message: "a row of 0 ids is not from 1 to 2147483647 ids long",
    });
    await assert.rejects(write("bin", [], { ...U16, pack: { length: 8, pad: 65_536 } }), {
      name: "RangeError",
      message: "the id 65536 does not fit u16",
    });
  });
});

describe("refusals", () => {
  test("a format with a limit names it", async () => {
    const small = flatFormat({
      name: "llmc",
      ids: { suffix: ".bin" },
      ends: { suffix: ".idx" },
      defaultEos: "prepend",
      maxIds: 3,
    });
    const writer = await small.open((suffix) => `${folder}/small${suffix}`, U32);
    await writer.write(block([[1, 2, 3]], U32));
    await assert.rejects(writer.write(block([[4]], U32)), {
      name: "FormatError",
      message: "llmc has at most 3 ids in a shard: use smaller units",
    });
    await writer.abort();
  });

  test("megatron has no u16 for a vocabulary that its readers take for a wide one", async () => {
    await assert.rejects(write("megatron", [], { ...U16, vocabularySize: 65_500 }), FormatError);
    await write("megatron", [], { ...U16, vocabularySize: 65_499 });
  });

  test("ids of another width and ends outside of a block are not written", async () => {
    for (const name of FORMAT_NAMES) {
      await assert.rejects(write(name, [block([[1]], U16)], U32), TypeError);
      const ends = new Uint32Array([2]);
      await assert.rejects(write(name, [{ ids: new Uint32Array(1), ends }], U32), RangeError);
    }
  });

  test("a file that is there is not overwritten, and a format without its second file has none", async () => {
    for (const name of FORMAT_NAMES) {
      const { suffixes } = formatOf(name);
      const pathOf = (suffix: string) => `${folder}/there-${name}${suffix}`;
      fs.writeFileSync(pathOf(suffixes.at(-1)!), "mine");
      await assert.rejects(formatOf(name).open(pathOf, U32), { code: "EEXIST" });
      assert.equal(fs.readFileSync(pathOf(suffixes.at(-1)!), "utf8"), "mine");
    }
  });

  test("files that were cut off are told from the end of a shard", async () => {
    for (const name of FORMAT_NAMES) {
      const { base } = await write(name, [block([[1], [2, 3]], U32)], U32);
      const data = base + formatOf(name).suffixes[0];
      fs.truncateSync(data, fs.statSync(data).size - (name === "arrow" ? 12 : 4));
      const read = formatOf(name).read((suffix) => base + suffix, 1, U32);
      // A line without its end is no document.
      if (name === "jsonl") assert.equal(await read, undefined);
      else await assert.rejects(read, FormatError, name);
    }
  });

  for (const name of FORMAT_NAMES) {
    test(`${name}: damaged files are read as something else, or refused as damaged`, async () => {
      const options = { ...U32, names: true };
      const { base } = await write(name, [block(DOCUMENTS, U32), block([[7], []], U32)], options);
      const { suffixes, read, count } = formatOf(name);
      const pathOf = (suffix: string) => base + suffix;
      const originals = suffixes.map((suffix) => fs.readFileSync(pathOf(suffix)));
      const damage = fc.record({
        file: fc.nat(suffixes.length - 1),
        at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
        length: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      });
      await fc.assert(
        fc.asyncProperty(damage, fc.nat(6), async ({ file, at, bytes, length }, n) => {
          const original = originals[file]!;
          const damaged = Uint8Array.from(original);
          const from = Math.floor(at * original.length);
          damaged.set(bytes.subarray(0, original.length - from), from);
          const kept = Math.floor((length ?? 1) * original.length);
          fs.writeFileSync(pathOf(suffixes[file]!), damaged.subarray(0, kept));
          try {
            for (const attempt of [() => read(pathOf, n, options), () => count(pathOf, options)]) {
              await attempt().catch((error: unknown) =>
                assert.ok(error instanceof FormatError, `${error}`)
              );
            }
          } finally {
            fs.writeFileSync(pathOf(suffixes[file]!), original);
          }
        }),
        { numRuns: 80 },
      );
    });
  }

  test("an unknown name is told with those that there are", () => {
    assert.throws(() => formatOf("toString" as "bin"), {
      name: "RangeError",
      message: 'format is "toString" and not bin, megatron, npy, llmc, arrow, jsonl',
    });
  });
});
