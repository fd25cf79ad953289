#!/usr/bin/env python3
"""Writes the golden fixtures of this folder with PyPI tiktoken, the reference.

    python generate.py VOCAB_DIR [--out DIR]

VOCAB_DIR holds r50k_base.tiktoken, p50k_base.tiktoken, cl100k_base.tiktoken and o200k_base.tiktoken, as the crate
tiktoken-rs ships them in `assets/` and the npm package gpt-tokenizer in `data/`. Nothing is downloaded: the files
are laid out as tiktoken's own cache, which checks their SHA-256. The output is the same for the same version.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import struct
import tempfile

import texts

VERSION = "0.14.0"
VOCABULARIES = ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"]
SAME = {"p50k_edit": "p50k_base", "o200k_harmony": "o200k_base"}
URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"

# The contexts of the code point sweep; README.md tells how they are hashed.
CONTEXTS = ["{}", "a{}B", " {}b'S", "1{0}{0}{0}{0}2", "!{}\n/ x", "\n {}  A"]
BLOCK = 0x1000


def load(vocab_dir):
    """All six encodings, from local files only."""
    cache = tempfile.mkdtemp(prefix="vocabularies-")
    for name in VOCABULARIES:
        url = URL.format(name)
        target = pathlib.Path(cache, hashlib.sha1(url.encode()).hexdigest())
        target.write_bytes(pathlib.Path(vocab_dir, f"{name}.tiktoken").read_bytes())
    os.environ["TIKTOKEN_CACHE_DIR"] = cache
    import tiktoken

    if tiktoken.__version__ != VERSION:
        raise SystemExit(f"the goldens are of tiktoken {VERSION}, this is {tiktoken.__version__}")
    return {name: tiktoken.get_encoding(name) for name in [*VOCABULARIES, *SAME]}


def ordinary(encodings, text):
    """Ids of `text` for the four vocabularies, after checking that the other two encodings agree."""
    ids = {name: encodings[name].encode_ordinary(text) for name in VOCABULARIES}
    for name, base in SAME.items():
        assert encodings[name].encode_ordinary(text) == ids[base], (name, text)
    return ids


def write(path, head, key, rows):
    """One row a line, so that a change of one golden is a change of one line."""
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows)
    front = json.dumps({"source": f"tiktoken {VERSION}", **head}, ensure_ascii=True)[:-1]
    path.write_text(f'{front}, "{key}": [\n{lines}\n]}}\n')
    print(f"{path.name}: {len(rows)} rows, {path.stat().st_size} bytes")


def write_ordinary(encodings, out):
    for topic, make in texts.ORDINARY.items():
        rows = []
        for note, text in make():
            row = {"text": text, "ids": ordinary(encodings, text)}
            rows.append({"note": note, **row} if note else row)
        write(out / f"{topic}.json", {"about": make.__doc__, "same": SAME}, "cases", rows)


def write_surrogates(encodings, out):
    rows = []
    for note, text in texts.surrogates():
        well_formed = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids = ordinary(encodings, text)
        assert ids == ordinary(encodings, well_formed), text
        rows.append({"note": note, "text": text, "wellFormed": well_formed, "ids": ids})
    write(out / "surrogates.json", {"about": texts.surrogates.__doc__, "same": SAME}, "cases", rows)


def error_of(encoding, text):
    """What `encode` of the reference refuses: the special name and where it stands, or None."""
    try:
        encoding.encode(text)
        return None
    except ValueError:
        pattern = "|".join(re.escape(name) for name in encoding.special_tokens_set)
        found = re.search(pattern, text)
        before = text[: found.start()]
        return {
            "name": found.group(),
            "byteOffset": len(before.encode()),
            "utf16Offset": len(before.encode("utf-16-le")) // 2,
        }


def write_specials(encodings, out):
    rows = []
    for name, encoding in encodings.items():
        names = sorted(encoding.special_tokens_set, key=lambda s: (encoding._special_tokens[s], s))
        if name == "o200k_harmony":
            # 1,091 names; the named ones, both names of id 200018 and a few of the reserved.
            kept = [s for s in names if not s.startswith("<|reserved_")]
            names = kept + ["<|reserved_200000|>", "<|reserved_200018|>", "<|reserved_201087|>"]
        for text in texts.specials(names):
            rows.append({
                "encoding": name,
                "text": text,
                "allow": encoding.encode(text, allowed_special="all"),
                "ordinary": encoding.encode(text, disallowed_special=()),
                "error": error_of(encoding, text),
            })
    write(out / "specials.json", {"about": texts.specials.__doc__.split("\n")[0]}, "cases", rows)


def listing(rows):
    """SHA-256 over rows of (number, ids or bytes); the byte layout is described in README.md."""
    digest = hashlib.sha256()
    for number, value in rows:
        body = value if isinstance(value, bytes) else struct.pack(f"<{len(value)}I", *value)
        digest.update(struct.pack("<II", number, len(value)) + body)
    return digest.hexdigest()


def valid_utf8(token):
    try:
        return token.decode()
    except UnicodeDecodeError:
        return None


def write_vocabularies(encodings, out):
    rows = []
    for name, encoding in encodings.items():
        ranks = sorted((rank, token) for token, rank in encoding._mergeable_ranks.items())
        special = encoding._special_tokens
        spellable = [(rank, valid_utf8(token)) for rank, token in ranks if valid_utf8(token) is not None]
        samples = ranks[::4999] + ranks[-1:]
        known = {rank for rank, _ in ranks} | set(special.values())
        top = max(known)
        gaps = [i for i in range(top + 1) if i not in known]
        rows.append({
            "encoding": name,
            "tokens": len(ranks),
            "vocabSize": top + 1,
            "longestToken": max(len(token) for _, token in ranks),
            "notUtf8": len(ranks) - len(spellable),
            "bytesSha256": listing(ranks),
            "encodeSha256": listing((rank, encoding.encode_ordinary(text)) for rank, text in spellable),
            "samples": [[rank, token.hex()] for rank, token in samples],
            "special": sorted(([text, rank] for text, rank in special.items()), key=lambda s: (s[1], s[0]))
            if len(special) < 10 else {"count": len(special), "sha256": listing(
                sorted((rank, text.encode()) for text, rank in special.items()))},
            "unknown": gaps[:3] + gaps[-3:] + [top + 1, 2**31, 2**32 - 1],
        })
        if name == "o200k_harmony":
            rows[-1]["twoNames"] = {"id": 200018, "decodes": encoding.decode([200018]),
                                    "names": ["<|endofprompt|>", "<|reserved_200018|>"]}
    write(out / "vocabularies.json", {"about": "Every token of every vocabulary, by digest."}, "vocabularies", rows)


def write_code_points(encodings, out):
    """All scalar values in six contexts, one digest for each block of 4,096."""
    rows = []
    for name in VOCABULARIES:
        encode = encodings[name].encode_ordinary
        blocks = []
        for start in range(0, 0x110000, BLOCK):
            points = [p for p in range(start, start + BLOCK) if not 0xD800 <= p < 0xE000]
            rows_of_block = ((p, encode(c.format(chr(p)))) for p in points for c in CONTEXTS)
            blocks.append(listing(rows_of_block)[:16])
        rows.append({"encoding": name, "blocks": blocks})
    head = {"about": write_code_points.__doc__, "same": SAME, "block": BLOCK, "contexts": CONTEXTS}
    write(out / "code_points.json", head, "digests", rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocab_dir")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    arguments = parser.parse_args()
    encodings = load(arguments.vocab_dir)
    write_ordinary(encodings, arguments.out)
    write_surrogates(encodings, arguments.out)
    write_specials(encodings, arguments.out)
    write_vocabularies(encodings, arguments.out)
    write_code_points(encodings, arguments.out)


if __name__ == "__main__":
    main()
