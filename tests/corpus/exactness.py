"""Compares every N-th document of the folder `bun` with tiktoken, id for id.

python exactness.py FOLDER ENCODING I N
"""

import json
import os
import sys
from glob import glob

import numpy as np
import tiktoken

folder, encoding, turn, turns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
tokenizer = tiktoken.get_encoding(encoding)
dtype = "<u2" if tokenizer.n_vocab <= 65536 else "<u4"


def documents():
    for path in sorted(glob(os.path.join(folder, "bun", "shard-*.bin"))):
        ids = np.fromfile(path, dtype=dtype)
        start = 0
        for end in np.fromfile(path[:-4] + ".idx", dtype="<u8").tolist():
            yield ids[start:end]
            start = end


totals = {"documents": 0, "ids": 0, "different": 0, "version": tiktoken.__version__}
with open(os.path.join(folder, "in.jsonl"), encoding="utf-8", newline="\n") as lines:
    ours = documents()
    for i, line in enumerate(lines):
        ids = next(ours)
        if i % turns != turn:
            continue
        truth = tokenizer.encode_ordinary(json.loads(line)["text"])
        truth.append(tokenizer.eot_token)
        totals["documents"] += 1
        totals["ids"] += len(truth)
        if ids.tolist() != truth:
            totals["different"] += 1
            print("document", i, "differs", file=sys.stderr)
    assert next(ours, None) is None
print(json.dumps(totals))
