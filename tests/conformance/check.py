#!/usr/bin/env python3
"""Compares PyPI tiktoken with a command, on seeded texts over all character classes.

    python check.py VOCAB_DIR --encoding o200k_base [--cases N] [--seed N] -- COMMAND…

COMMAND reads one JSON object {"text": …} a line and writes one JSON object {"ids": […]} a line, in the same order.
Exits with 1 and prints the first differing texts if there are any. VOCAB_DIR: see generate.py.
"""

import argparse
import json
import random
import string
import subprocess
import sys
import tempfile
import unicodedata

import generate
import texts


def pools():
    """All characters, by general category."""
    found = {}
    for point in range(0x110000):
        if not 0xD800 <= point < 0xE000:
            found.setdefault(unicodedata.category(chr(point)), []).append(chr(point))
    return list(found.values())


BASE64 = string.ascii_letters + string.digits + "+/"


def make(rng, classes, categories):
    """A text of a few fragments: class representatives, any character of a category, ASCII, runs, base64."""
    parts = []
    for _ in range(rng.randint(1, 10)):
        kind = rng.random()
        if kind < 0.05:
            alphabet = rng.choice([BASE64, string.ascii_letters, string.ascii_uppercase, "abcxyzABC", "qwXZ+_ "])
            parts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(8, 300))))
        elif kind < 0.45:
            parts.append(rng.choice(rng.choice(classes)))
        elif kind < 0.65:
            parts.append(rng.choice(rng.choice(categories)))
        elif kind < 0.8:
            parts.append("".join(chr(rng.randint(32, 126)) for _ in range(rng.randint(1, 6))))
        elif kind < 0.9:
            parts.append("".join(rng.choice("etaoinshrdlu ABC") for _ in range(rng.randint(1, 12))))
        else:
            parts.append(rng.choice(rng.choice(classes)) * rng.randint(2, 20))
    return "".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocab_dir")
    parser.add_argument("--encoding", required=True)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()

    encode = generate.load(arguments.vocab_dir)[arguments.encoding].encode_ordinary
    rng, classes, categories = random.Random(arguments.seed), list(texts.ALPHABET.values()), pools()
    with tempfile.TemporaryFile("w+") as lines:
        made = []
        for _ in range(arguments.cases):
            made.append(make(rng, classes, categories))
            lines.write(json.dumps({"text": made[-1]}) + "\n")
        lines.seek(0)
        answer = subprocess.run(arguments.command, stdin=lines, stdout=subprocess.PIPE, check=True, text=True)

    answers = answer.stdout.splitlines()
    if len(answers) != len(made):
        sys.exit(f"{len(made)} lines in, {len(answers)} out")
    different = [(text, json.loads(line)["ids"]) for text, line in zip(made, answers) if json.loads(line)["ids"] != encode(text)]
    for text, ids in different[:10]:
        print(f"{text!r}: tiktoken {encode(text)}, command {ids}")
    print(f"{arguments.encoding}: {len(made)} cases, seed {arguments.seed}, tiktoken {generate.VERSION}: "
          f"{len(different)} differ")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
