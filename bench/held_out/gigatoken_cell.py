"""Measures gigatoken as cell.ts measures the others: one process, the same pieces, the same passes."""

import json
import statistics
import sys
import time

import gigatoken

REHEARSAL = "The quick brown fox jumps over the lazy dog. " * 8
REHEARSAL_MS = 30
LEAST_WARM_PASSES = 3
MOST_WARM_PASSES = 50


def digest_of(ids, digest):
    for token in ids.tolist():
        digest = ((digest ^ token) * 0x01000193) & 0xFFFFFFFF
    return digest


def main():
    order = json.loads(sys.argv[1])
    with open(order["pieces"], encoding="utf-8") as file:
        pieces = json.load(file)
    tokenizer = gigatoken.Tokenizer.from_tiktoken(order["vocabulary"])
    encode = tokenizer.encode
    counts = [0] * len(pieces)

    def timed(texts, into):
        start = time.perf_counter()
        for i, text in enumerate(texts):
            into[i] = len(encode(text))
        return (time.perf_counter() - start) * 1e3

    warm = []
    if order["fresh"]:
        first = timed(pieces, counts)
    else:
        rehearsed = time.perf_counter() + REHEARSAL_MS / 1e3
        while time.perf_counter() < rehearsed:
            timed([REHEARSAL], [0])
        first = timed(pieces, counts)
        end = time.perf_counter() + order["budget"] / 1e3
        while len(warm) < LEAST_WARM_PASSES or (
            time.perf_counter() < end and len(warm) < MOST_WARM_PASSES
        ):
            warm.append(timed(pieces, counts))
    digest = 0
    if order["operation"] == "encode":
        digest = 0x811C9DC5
        for piece in pieces:
            digest = digest_of(encode(piece), digest)
    result = {
        "first": first,
        "warm": statistics.median(warm) if warm else 0,
        "tokens": sum(counts),
        "digest": digest,
    }
    print(json.dumps(result))


main()
