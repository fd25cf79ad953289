import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { inputFile, openPart, partsOf, SourceError } from "../src/corpus/sources/mod.ts";
import { Files } from "./fixtures/cli.ts";
import { NO_PYTHON, python } from "./support/python.ts";

const GIGABYTE = 1 << 30;

/** Writes the files, and prints the texts that they have. */
const PROGRAM = String.raw`
import json, os, sys
import pyarrow as pa, pyarrow.parquet as pq
os.chdir(sys.argv[1])
texts = ["text %d %s" % (i * 7919 % 1000, "\u00e9\U0001F600\x00\n"[i % 5:]) for i in range(1500)]
for i in range(0, 1500, 7): texts[i] = ""
for i in range(3, 1500, 5): texts[i] = None
texts[700] = "long " * 1000000
texts[701:900] = [None] * 199
texts[1000:1200] = ["the same"] * 200
full = [t or "" for t in texts]
ids = [i if i % 10 else None for i in range(1500)]
names = ["name-%d" % i if i % 3 else None for i in range(1500)]
kept = [texts[i] if i % 11 else None for i in range(1500)]
table = pa.table({
  "text": texts, "number": pa.array(ids, pa.int64()), "name": names, "full": pa.array(full),
  "a.b": full[::-1],
}, schema=pa.schema([("text", pa.string()), ("number", pa.int64()), ("name", pa.string()),
  pa.field("full", pa.string(), nullable=False), ("a.b", pa.string())]))
small = dict(data_page_size=4096, row_group_size=400)
for codec in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]:
  pq.write_table(table, codec + ".parquet", compression=codec, data_page_version="1.0",
    use_dictionary=codec in ("gzip", "zstd"), **small)
  pq.write_table(table, codec + "-2.parquet", compression=codec, data_page_version="2.0",
    use_dictionary=codec in ("snappy", "lz4"), **small)
for encoding in ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]:
  pq.write_table(table.select(["text", "full"]), encoding.lower() + ".parquet", use_dictionary=False,
    column_encoding={"text": encoding, "full": encoding}, compression="zstd", **small)
pq.write_table(table, "one-group.parquet", write_page_checksum=True)
kinds = {"large": pa.large_string(), "binary": pa.binary(), "view": pa.string_view()}
columns = {name: pa.array(texts, pa.string()).cast(kind) for name, kind in kinds.items()}
columns["dictionary"] = pa.array(texts).dictionary_encode()
pq.write_table(pa.table(columns), "kinds.parquet", **small)
inner = pa.StructArray.from_arrays([pa.array(texts)], names=["c"])
outer = pa.StructArray.from_arrays([inner, pa.array(full)], names=["b", "d"],
  mask=pa.array([i % 11 == 0 for i in range(1500)]))
pq.write_table(pa.table({"a": outer, "list": [["x"]] * 1500, "dots": [{"x.y": "z"}] * 1500,
  "price": pa.array([None] * 1500, pa.decimal128(30, 2)), "when": pa.array([None] * 1500, pa.timestamp("ms"))}),
  "nested.parquet", **small)
pq.write_table(table.slice(0, 0), "empty.parquet")
pq.write_table(pa.table({"text": ["short", "x" * 9000000]}), "wide.parquet", row_group_size=1)
pages = ["%d " % i * 1000 for i in range(1300)] * 2
pq.write_table(pa.table({"text": pages}), "dictionary.parquet", compression="none",
  dictionary_pagesize_limit=1 << 24)
print(json.dumps({"texts": texts, "full": full, "ids": ids, "names": names, "kept": kept}))
`;

interface Expected {
  readonly texts: (string | null)[];
  readonly full: string[];
  readonly ids: (number | null)[];
  readonly names: (string | null)[];
  readonly kept: (string | null)[];
}

interface Reading {
  readonly field?: string;
  readonly idField?: string;
  readonly unitBytes?: number;
  readonly memory?: number;
}

interface Read {
  readonly texts: (string | null)[];
  readonly ids: (string | undefined)[];
  readonly parts: number;
  readonly batches: number;
}

async function read(file: string, reading: Reading = {}): Promise<Read> {
  const { unitBytes = 1 << 28, memory = GIGABYTE, ...fields } = reading;
  const columns = { field: "text", ...fields };
  const input = await inputFile(file);
  const texts: (string | null)[] = [];
  const ids: (string | undefined)[] = [];
  const parts = await partsOf(input, 0, unitBytes, columns);
  let group = 0;
  let batches = 0;
  for (const { part, bytes } of parts) {
    assert.equal(part.from, group);
    group = part.to;
    let told = 0;
    const onRead = (bytes: number) => void (told += bytes);
    for await (const batch of openPart(input, part, { ...columns, memory, onRead })) {
      assert.equal(batch.kind, "column");
      if (batch.kind !== "column") continue;
      batches++;
      assert.equal(batch.firstRow, texts.length);
      for (let row = 0; row + 1 < batch.offsets.length; row++) {
        const from: number = batch.offsets[row]!;
        const to: number = batch.offsets[row + 1]!;
        const isNull = batch.valid?.[row] === 0;
        if (isNull) assert.equal(from, to);
        texts.push(isNull ? null : Buffer.from(batch.values.subarray(from, to)).toString());
      }
      ids.push(...batch.ids ?? []);
    }
    assert.equal(told, bytes);
    assert.ok(bytes <= unitBytes || part.to - part.from === 1);
  }
  return { texts, ids, parts: parts.length, batches };
}

describe("Parquet", { skip: NO_PYTHON }, () => {
  let files: Files;
  let expected: Expected;
  const at = (name: string) => path.join(files.directory, `${name}.parquet`);

  before(async () => {
    files = new Files({});
    expected = JSON.parse(await python(PROGRAM, files.directory));
  });
  after(() => files[Symbol.dispose]());

  it("is read in every compression, version of pages and encoding", async () => {
    const codecs = ["none", "snappy", "gzip", "brotli", "lz4", "zstd"];
    const names = [
      ...codecs.flatMap((codec) => [codec, `${codec}-2`]),
      "delta_length_byte_array",
      "delta_byte_array",
      "one-group",
    ];
    for (const name of names) {
      const { texts } = await read(at(name));
      assert.ok(texts.length === 1500, name);
      texts.forEach((text, row) => assert.ok(text === expected.texts[row], `${name} row ${row}`));
      const { texts: full } = await read(at(name), { field: "full" });
      assert.ok(full.every((text, row) => text === expected.full[row]), name);
    }
  });

  it("is cut at row groups, and each row comes once in order", async () => {
    const sizes = (await partsOf(await inputFile(at("zstd")), 0, 1, { field: "text" }))
      .map(({ bytes }) => bytes);
    const groups = [1, sizes[2]! + sizes[3]!, 1 << 28].map((unitBytes) =>
      read(at("zstd"), { unitBytes })
    );
    const found = await Promise.all(groups);
    assert.deepEqual(found.map(({ parts }) => parts), [4, 3, 1]);
    for (const { texts } of found) {
      assert.ok(texts.every((text, row) => text === expected.texts[row]));
    }
    // The text that is longer than a batch is one alone.
    assert.ok(found[2]!.batches > 4);
  });

  it("has identifiers of texts and numbers beside the texts", async () => {
    for (const [idField, ids] of [["number", expected.ids], ["name", expected.names]] as const) {
      for (const name of ["zstd", "snappy-2", "none"]) {
        const { texts, ids: found } = await read(at(name), { idField });
        assert.ok(texts.every((text, row) => text === expected.texts[row]));
        assert.deepEqual(found, ids.map((id) => id?.toString()));
      }
    }
  });

  it("may have all kinds of text", async () => {
    for (const field of ["large", "binary", "view", "dictionary"]) {
      const { texts } = await read(at("kinds"), { field });
      assert.ok(texts.every((text, row) => text === expected.texts[row]), field);
    }
  });

  it("may have a dictionary that is used by many pages", async () => {
    const { texts } = await read(at("dictionary"));
    assert.equal(texts.length, 2600);
    texts.forEach((text, row) => assert.ok(text === `${row % 1300} `.repeat(1000), `${row}`));
  });

  it("may have the text in columns of columns, and dots in names", async () => {
    const { texts: inner } = await read(at("nested"), { field: "a.b.c" });
    inner.forEach((text, row) => assert.ok(text === expected.kept[row], `${row}`));
    const { texts: dotted } = await read(at("zstd"), { field: "a.b" });
    assert.ok(dotted.every((text, row) => text === expected.full[1499 - row]));
  });

  it("without rows has a part without rows", async () => {
    const { texts, parts } = await read(at("empty"));
    assert.deepEqual([texts, parts], [[], 1]);
  });

  it("is refused without a column of text of that name", async () => {
    const cases: [name: string, reading: Reading, message: RegExp][] = [
      ["zstd", { field: "body" }, /has no column body, but text, number, name, full, a\.b$/],
      ["zstd", { field: "number" }, /column number is INT64, and not text$/],
      ["zstd", { idField: "none" }, /has no column none/],
      ["nested", { field: "a" }, /column a has columns in it: name one, such as a\.b$/],
      ["nested", { field: "list" }, /column list is a list, and not text$/],
      ["nested", { field: "list.list.element" }, /is in a list, which has several texts a row$/],
      ["nested", { field: "a.b.c", idField: "price" }, /price is DECIMAL, and neither text nor/],
      ["nested", { field: "a.b.c", idField: "when" }, /when is TIMESTAMP, and neither text nor/],
    ];
    for (const [name, reading, message] of cases) {
      await assert.rejects(read(at(name), reading), (error: Error) => {
        assert.ok(error instanceof SourceError, `${error}`);
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(at(name)));
        return true;
      });
    }
  });

  it("is refused if a page takes more memory than is allowed, with its row group", async () => {
    const { texts } = await read(at("wide"), { memory: GIGABYTE });
    assert.deepEqual(texts.map((text) => text?.length), [5, 9_000_000]);
    await assert.rejects(read(at("wide"), { memory: 24_000_000 }), (error: Error) => {
      assert.ok(error instanceof SourceError);
      assert.match(error.message, /column text in row group 1 needs 9000\d\d\d bytes.*--memory/);
      return true;
    });
  });

  it("that is torn or damaged is refused, and no row is lost without a word", async () => {
    const bytes = fs.readFileSync(at("one-group"));
    const check = async (damaged: Buffer): Promise<boolean> => {
      fs.writeFileSync(at("damaged"), damaged);
      try {
        const { texts } = await read(at("damaged"));
        assert.ok(texts.length === 1500 && texts.every((text, i) => text === expected.texts[i]));
        return false;
      } catch (error) {
        assert.ok(error instanceof SourceError, `${error}`);
        return true;
      }
    };
    for (const length of [0, 3, 8, 100, bytes.length >> 1, bytes.length - 9, bytes.length - 1]) {
      assert.ok(await check(bytes.subarray(0, length)), `${length}`);
    }
    // 1500 as the footer writes it, where it counts the rows of the file and of the group.
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    let wrong = 0;
    const all = Buffer.from(bytes);
    for (let i = 0; (i = bytes.indexOf(Uint8Array.of(0xb8, 0x17), Math.max(i + 1, footer))) > 0;) {
      const copy = Buffer.from(bytes);
      all[i] = copy[i] = 0xb6;
      if (await check(copy)) wrong++;
    }
    assert.ok(wrong >= 2, `${wrong}`);
    assert.ok(await check(all));
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const copy = Buffer.from(bytes);
      copy[(i * 104_729) % bytes.length]! ^= 1 << i % 8;
      if (await check(copy)) refused++;
    }
    assert.ok(refused > 5, `${refused}`);
  });
});
