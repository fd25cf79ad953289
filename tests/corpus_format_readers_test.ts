/** Token files as numpy and pyarrow read them, and a reader that is written by the description of Megatron's index. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { block, U16, U32, write } from "./support/token_files.ts";
import { NO_PYTHON, python } from "./support/python.ts";
import { FORMAT_NAMES } from "../src/corpus/formats/mod.ts";

const DOCUMENTS = [[1, 2], [], [3, 40_000, 5, 6], [7], []];
const NAMES = ["a", "é\0", undefined, "", "e"];

const READERS = `
import json, struct, sys
import numpy as np, pyarrow as pa

def cut(ids, ends):
    return [part.tolist() for part in np.split(ids, ends.tolist())[:-1]]

def bin(base, dtype):
    return cut(np.memmap(base + ".bin", dtype), np.fromfile(base + ".idx", "<u8"))

def npy(base, dtype):
    ids = np.load(base + ".npy", mmap_mode="r")
    assert ids.dtype == dtype
    return cut(ids, np.load(base + ".idx.npy"))

def llmc(base, dtype):
    magic, version, count = np.fromfile(base + ".bin", "<i4", 256)[:3].tolist()
    assert (magic, version) == ((20240520, 1) if dtype == "<u2" else (20240801, 7))
    ids = np.fromfile(base + ".bin", dtype, offset=1024)
    assert len(ids) == count
    return cut(ids, np.fromfile(base + ".idx", "<u8"))

def megatron(base, dtype):
    index = open(base + ".idx", "rb").read()
    magic, version, code, sequences, documents = struct.unpack_from("<9sQBQQ", index)
    assert (magic, version, code) == (b"MMIDIDX\\0\\0", 1, 8 if dtype == "<u2" else 4)
    lengths = np.frombuffer(index, "<i4", sequences, 34)
    pointers = np.frombuffer(index, "<i8", sequences, 34 + 4 * sequences)
    first = np.frombuffer(index, "<i8", documents, 34 + 12 * sequences)
    assert len(index) == 34 + 12 * sequences + 8 * documents
    ids = np.memmap(base + ".bin", "<u2" if dtype == "<u2" else "<i4")
    width = ids.itemsize
    parts = [ids[p // width : p // width + n].tolist() for p, n in zip(pointers, lengths)]
    return [sum(parts[a:b], []) for a, b in zip(first, first[1:])]

def arrow(base, dtype):
    table = pa.ipc.open_stream(pa.memory_map(base + ".arrow")).read_all()
    table.validate(full=True)
    item = pa.uint16() if dtype == "<u2" else pa.int32()
    assert table.schema.field("input_ids").type == pa.list_(item), table.schema
    return table["input_ids"].to_pylist()

def jsonl(base, dtype):
    return [json.loads(line)["ids"] for line in open(base + ".jsonl")]

shards = json.loads(sys.argv[1])
print(json.dumps([globals()[name](base, dtype) for name, base, dtype in shards]))
`;

test("readers of others see the documents", { skip: NO_PYTHON }, async () => {
  const shards: (readonly [name: string, base: string, dtype: string])[] = [];
  for (const options of [U16, U32]) {
    for (const name of FORMAT_NAMES) {
      const { base } = await write(name, [block(DOCUMENTS, options)], options);
      shards.push([name, base, options === U16 ? "<u2" : "<u4"]);
    }
  }
  const read = JSON.parse(await python(READERS, JSON.stringify(shards))) as number[][][];
  assert.equal(read.length, 12);
  for (const [i, documents] of read.entries()) {
    assert.deepEqual(documents, DOCUMENTS, `${shards[i]![0]} ${shards[i]![2]}`);
  }
});

test("numpy maps padded rows as a matrix", { skip: NO_PYTHON }, async () => {
  const options = { ...U16, pack: { length: 4, pad: 9 } };
  const { base } = await write("npy", [block(DOCUMENTS, options)], options);
  const program = "import sys, numpy as np; print(np.load(sys.argv[1], mmap_mode='r').tolist())";
  assert.deepEqual(
    JSON.parse(await python(program, `${base}.npy`)),
    [[1, 2, 3, 40_000], [5, 6, 7, 9]],
  );
});

test("pyarrow reads record batches and identifiers", { skip: NO_PYTHON }, async () => {
  const options = { ...U32, names: true };
  const documents = Array.from({ length: 20_000 }, (_, n) => [n, n % 7]);
  const names = documents.map((_, n) => n % 5 === 0 ? undefined : `row ${n}`);
  const { base } = await write("arrow", [
    { ...block(DOCUMENTS, options), names: NAMES },
    { ...block(documents, options), names },
  ], options);
  const program = `
import json, sys, pyarrow as pa
batches = list(pa.ipc.open_stream(sys.argv[1]))
for batch in batches: batch.validate(full=True)
table = pa.Table.from_batches(batches)
print(json.dumps([len(batches), table["id"].to_pylist(), table["input_ids"].to_pylist()]))
`;
  const [batches, ids, lists] = JSON.parse(await python(program, `${base}.arrow`)) as unknown[];
  assert.equal(batches, 2);
  assert.deepEqual(ids, [...NAMES, ...names].map((name) => name ?? null));
  assert.deepEqual(lists, [...DOCUMENTS, ...documents]);
});
