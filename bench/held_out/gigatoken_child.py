"""Measures gigatoken as passes_child.ts measures the others: the same texts and passes in one process."""

import json
import statistics
import sys
import time

import gigatoken

REHEARSAL = "The quick brown fox jumps over the lazy dog. " * 8
REHEARSAL_MS = 30
MIN_WARM_PASSES = 3
MAX_WARM_PASSES = 50


def digest_of(ids, digest):
    for token in ids.tolist():
        digest = ((digest ^ token) * 0x01000193) & 0xFFFFFFFF
    return digest


def main():
    order = json.loads(sys.argv[1])
    (text_set,) = order["sets"]
    with open(text_set["texts"], encoding="utf-8") as file:
        texts = json.load(file)
    tokenizer = gigatoken.Tokenizer.from_tiktoken(order["vocabulary"])
    encode = tokenizer.encode
    counts = [0] * len(texts)

    def timed(some, into):
        start = time.perf_counter()
        for i, text in enumerate(some):
            into[i] = len(encode(text))
        return (time.perf_counter() - start) * 1e3

    warm = []
    if order["isFresh"]:
        first = timed(texts, counts)
    else:
        rehearsed = time.perf_counter() + REHEARSAL_MS / 1e3
        while time.perf_counter() < rehearsed:
            timed([REHEARSAL], [0])
        first = timed(texts, counts)
        end = time.perf_counter() + order["budget"] / 1e3
        while len(warm) < MIN_WARM_PASSES or (
            time.perf_counter() < end and len(warm) < MAX_WARM_PASSES
        ):
            warm.append(timed(texts, counts))
    digest = 0
    if text_set["operation"] == "encode":
        digest = 0x811C9DC5
        for text in texts:
            digest = digest_of(encode(text), digest)
    result = {
        "first": first,
        "warm": statistics.median(warm) if warm else 0,
        "fastest": min(warm, default=0),
        "counts": counts,
        "bytes": sum(len(text.encode()) for text in texts),
        "digest": digest,
    }
    print(json.dumps(result))


main()
