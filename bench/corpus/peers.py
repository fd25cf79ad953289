"""Tokenizes a corpus with one peer in one process, and prints what it took as JSON.

    python3 peers.py NAME THREADS CORPUS.jsonl VOCABULARY.tiktoken
    python3 peers.py parquet CORPUS.jsonl OUT.parquet

The time is that of the peer's own call: neither the import nor the vocabulary is in it. Only gigatoken reads the file in
that time. The texts of the others are in memory before.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time

O200K_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"


def texts_of(corpus):
    with open(corpus, encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def o200k(vocabulary):
    """tiktoken's own encoding, whose vocabulary is the file that is here. tiktoken checks its hash."""
    import tiktoken

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(vocabulary, os.path.join(folder, hashlib.sha1(O200K_URL.encode()).hexdigest()))
        os.environ["TIKTOKEN_CACHE_DIR"] = folder
        return tiktoken.get_encoding("o200k_base")


def gigatoken(threads, corpus, vocabulary):
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    from gigatoken import Tokenizer
    from gigatoken.gigatoken_rs import JsonlFileSource

    tokenizer = Tokenizer.from_tiktoken(vocabulary)
    start = time.perf_counter()
    ids = tokenizer.encode_files(JsonlFileSource([corpus]), parallel=threads > 1)
    seconds = time.perf_counter() - start
    return seconds, len(ids), len(ids.layout.content)


def tiktoken(threads, corpus, vocabulary):
    encoding = o200k(vocabulary)
    texts = texts_of(corpus)
    start = time.perf_counter()
    ids = encoding.encode_ordinary_batch(texts, num_threads=threads)
    seconds = time.perf_counter() - start
    return seconds, len(ids), sum(map(len, ids))


def tokenizers(threads, corpus, vocabulary):
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    from gigatoken import Tokenizer as Merges
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    encoding = o200k(vocabulary)
    # gigatoken recovers the merges, which a file of ranks does not have.
    merges = Merges.from_tiktoken(vocabulary).merges
    letters = byte_letters()
    spelled = lambda token: "".join(letters[byte] for byte in token)
    ranks = encoding._mergeable_ranks
    model = models.BPE(
        vocab={spelled(token): rank for token, rank in ranks.items()},
        merges=[(spelled(left), spelled(right)) for left, right in merges],
        ignore_merges=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(encoding._pat_str), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    texts = texts_of(corpus)
    start = time.perf_counter()
    encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    seconds = time.perf_counter() - start
    return seconds, len(encoded), sum(len(text.ids) for text in encoded)


def byte_letters():
    """GPT-2's letter for each byte, which files of Hugging Face write tokens with."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {
        byte: chr(0x100 + i) for i, byte in enumerate(others)
    }


def write_parquet(corpus, out):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"text": texts_of(corpus)})
    pyarrow.parquet.write_table(
        table, out, row_group_size=5_000, compression="zstd", use_dictionary=False
    )


PEERS = {"gigatoken": gigatoken, "tiktoken": tiktoken, "tokenizers": tokenizers}


def main():
    name, *arguments = sys.argv[1:]
    if name == "parquet":
        write_parquet(*arguments)
        return
    threads, corpus, vocabulary = arguments
    seconds, documents, tokens = PEERS[name](int(threads), corpus, vocabulary)
    print(json.dumps({"seconds": seconds, "documents": documents, "tokens": tokens}))


main()
