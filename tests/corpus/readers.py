"""Reads what `sluice tokenize` wrote with the readers of others, and compares it with tiktoken.

python readers.py FOLDER ENCODING FORMAT...
"""

import json
import os
import struct
import sys
from glob import glob

import numpy as np
import pyarrow as pa
import tiktoken

folder, encoding, *formats = sys.argv[1:]
tokenizer = tiktoken.get_encoding(encoding)
eos = tokenizer.eot_token
narrow = tokenizer.n_vocab <= 65536
flat = np.dtype("<u2") if narrow else np.dtype("<u4")


def shards(out, suffix):
    return sorted(glob(os.path.join(out, "shard-*" + suffix)))


def split(ids, ends):
    assert (ends[-1] if len(ends) else 0) == len(ids), (ends[-1:], len(ids))
    return np.split(ids, ends[:-1].astype(np.int64)) if len(ends) else []


def read_bin(out):
    for path in shards(out, ".bin"):
        ids = np.memmap(path, dtype=flat, mode="r") if os.path.getsize(path) else np.empty(0, flat)
        yield from split(ids, np.fromfile(path[:-4] + ".idx", dtype="<u8"))


def read_npy(out):
    for path in shards(out, ".npy"):
        if path.endswith(".idx.npy"):
            continue
        ids, ends = np.load(path, mmap_mode="r"), np.load(path[:-4] + ".idx.npy")
        assert ids.dtype == flat and ends.dtype == np.dtype("<u8"), (ids.dtype, ends.dtype)
        yield from split(ids, ends)


def read_megatron(out):
    """As `_IndexReader` of megatron/core/datasets/indexed_dataset.py describes the format."""
    dtypes = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 8: np.uint16}
    for path in shards(out, ".idx"):
        with open(path, "rb") as stream:
            assert stream.read(9) == b"MMIDIDX\x00\x00"
            (version,) = struct.unpack("<Q", stream.read(8))
            assert version == 1
            (code,) = struct.unpack("<B", stream.read(1))
            assert code == (8 if tokenizer.n_vocab < 65500 else 4), code
            dtype = np.dtype(dtypes[code])
            (sequences,) = struct.unpack("<Q", stream.read(8))
            (documents,) = struct.unpack("<Q", stream.read(8))
            start = stream.tell()
        index = np.fromfile(path, dtype=np.uint8)[start:].tobytes()
        lengths = np.frombuffer(index, dtype="<i4", count=sequences)
        pointers = np.frombuffer(index, dtype="<i8", count=sequences, offset=lengths.nbytes)
        borders = np.frombuffer(index, dtype="<i8", count=documents, offset=lengths.nbytes + pointers.nbytes)
        assert lengths.nbytes + pointers.nbytes + borders.nbytes == len(index)
        assert borders[0] == 0 and borders[-1] == sequences
        data = open(path[:-4] + ".bin", "rb").read()
        assert int(lengths.sum()) * dtype.itemsize == len(data)
        for first, last in zip(borders, borders[1:]):
            assert last - first <= 1
            yield np.concatenate([
                np.frombuffer(data, dtype=dtype, count=lengths[i], offset=pointers[i])
                for i in range(first, last)
            ] or [np.empty(0, dtype)])


def read_llmc(out):
    """As dev/data/data_common.py of llm.c writes it. A document begins with the end token."""
    for path in shards(out, ".bin"):
        header = np.fromfile(path, dtype="<i4", count=256)
        magic, version, dtype = (20240520, 1, "<u2") if narrow else (20240801, 7, "<u4")
        assert header[0] == magic and header[1] == version, header[:3]
        ids = np.fromfile(path, dtype=dtype, offset=1024)
        assert header[2] == len(ids) and not header[3:].any()
        yield from np.split(ids, np.flatnonzero(ids == eos))[1:]


def read_arrow(out):
    for path in shards(out, ".arrow"):
        with pa.memory_map(path) as source:
            table = pa.ipc.open_stream(source).read_all()
        table.validate(full=True)
        for row in table.column("input_ids"):
            yield np.array(row.as_py(), dtype=np.int64)


def read_jsonl(out):
    for path in shards(out, ".jsonl"):
        for line in open(path, encoding="utf-8"):
            yield np.array(json.loads(line)["ids"], dtype=np.int64)


readers = {name[5:]: read for name, read in list(globals().items()) if name.startswith("read_")}
before = {"llmc"}
after = {"bin", "megatron", "npy"}
texts = json.load(open(os.path.join(folder, "texts.json"), encoding="utf-8"))
truth = [tokenizer.encode_ordinary(text) for text in texts]
for name in formats:
    expected = [
        [eos] * (name in before) + ids + [eos] * (name in after)
        for ids in truth
    ]
    got = [ids.tolist() for ids in readers[name](os.path.join(folder, f"{encoding} {name}"))]
    assert len(got) == len(expected), (name, len(got), len(expected))
    for i, (one, other) in enumerate(zip(got, expected)):
        assert one == other, (name, i, one[:20], other[:20])
    print(name, "ok")
