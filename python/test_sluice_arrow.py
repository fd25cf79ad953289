"""Tests of sluice_arrow against tiktoken, in the environment that scripts/install_python.ts makes.

They run in the gate by tests/python_test.ts, or alone:

    .build/python/bin/python -m unittest python/test_sluice_arrow.py
"""

import concurrent.futures
import contextlib
import doctest
import gc
import io
import os
import pickle
import random
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
import unittest.mock

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
os.environ.setdefault("TIKTOKEN_CACHE_DIR", os.path.join(ROOT, ".build", "python", "vocabularies"))
sys.path.insert(0, HERE)

import pyarrow as pa  # noqa: E402
import sluice_arrow  # noqa: E402
import tiktoken  # noqa: E402
from sluice_arrow import SluiceError, Tokenizer  # noqa: E402

INT_LISTS = pa.list_(pa.int32())
SCRIPTS = ["the quick brown fox", "0123456789", "ÄÖÜß éè", "你好世界，", "🙂👩‍👩‍👧‍👦", "\n\t  \r", "<|endoftext|>", "_-=+()[]{}'\""]
NONE_OF_THESE_IS_STRINGS = [
    ["a list"], "a str", None, 5, pa.array([1, 2]), pa.array([b"bytes"]), pa.array([["nested"]]),
    pa.chunked_array([[1]]), pa.chunked_array([], pa.int64()), pa.table({"text": ["a"]}), pa.array([0, 1]).dictionary_encode(),
]


def random_texts(seed: int, count: int) -> list:
    """Texts of several scripts, with nulls and empty ones among them."""
    rng = random.Random(seed)

    def word():
        return "".join(rng.choices(rng.choice(SCRIPTS), k=rng.randint(1, 9)))

    def text():
        return " ".join(word() for _ in range(rng.randint(0, 40)))

    return [None if rng.random() < 0.1 else text() for _ in range(count)]


def truth(name: str, texts: list) -> list:
    encode = tiktoken.get_encoding(name).encode_ordinary
    return [None if text is None else encode(text) for text in texts]


def lengths(lists: list) -> list:
    return [None if one is None else len(one) for one in lists]


class Ids(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.texts = random_texts(25, 1500)
        cls.expected = truth("o200k_base", cls.texts)

    def check(self, array, expected, tokenizer=None):
        """Both calls on an array, with the types and the inner consistency of what they return."""
        tokenizer = tokenizer or Tokenizer("o200k_base")
        ids = tokenizer.encode(array)
        ids.validate(full=True)
        self.assertEqual(ids.to_pylist(), expected)
        self.assertEqual(ids.type, INT_LISTS)
        counts = tokenizer.count(array)
        counts.validate(full=True)
        self.assertEqual(counts.to_pylist(), lengths(expected))
        self.assertEqual(counts.type, pa.int32())
        for result in (ids, counts):
            self.assertEqual(result.null_count, sum(one is None for one in expected))

    def test_ids_and_counts_are_those_of_tiktoken(self):
        self.check(pa.array(self.texts), self.expected)
        some = self.texts[:300]
        for name in ["cl100k_base", "p50k_base", "r50k_base"]:
            self.check(pa.array(some), truth(name, some), Tokenizer(name))

    def test_every_layout_of_strings_gives_the_same(self):
        plain = pa.array(self.texts)
        self.check(plain.cast(pa.large_string()), self.expected)
        self.check(plain.dictionary_encode(), self.expected)
        self.check(plain.cast(pa.string_view()), self.expected)
        for kind in (pa.string(), pa.large_string()):
            self.check(pa.array([None, None], kind), [None, None])
            self.check(pa.array([], kind), [])
            self.check(pa.array(["", None, ""], kind), [[], None, []])
        self.check(pa.nulls(3), [None, None, None])

    def test_a_slice_gives_its_rows(self):
        for kind in (pa.string(), pa.large_string()):
            array = pa.array(self.texts, kind)
            for start, end in [(0, 1), (3, 30), (13, 14), (700, 700), (1490, 1500)]:
                self.check(array.slice(start, end - start), self.expected[start:end])

    def test_a_chunked_array_gives_the_same_chunks(self):
        chunks = pa.chunked_array([self.texts[:10], [], self.texts[10:500]], pa.string())
        self.check(chunks, self.expected[:500])
        self.assertEqual(Tokenizer("o200k_base").encode(chunks).num_chunks, 3)
        self.assertEqual(Tokenizer("o200k_base").count(chunks).num_chunks, 3)
        self.check(pa.chunked_array([], pa.string()), [])

    def test_bytes_under_a_null_are_not_text(self):
        values = b"abc\xff\xff" + b"def"
        array = pa.Array.from_buffers(
            pa.string(), 3,
            [pa.py_buffer(bytes([0b101])), pa.py_buffer(b"".join(at.to_bytes(4, "little") for at in [0, 3, 5, 8])), pa.py_buffer(values)],
        )
        self.check(array, [truth("o200k_base", ["abc"])[0], None, truth("o200k_base", ["def"])[0]])

    def test_an_array_of_several_pieces_is_one_array(self):
        for size in (1, 100, 5000):
            with unittest.mock.patch.object(sluice_arrow, "PIECE_BYTES", size):
                self.check(pa.array(self.texts[:400]), self.expected[:400])
                with self.assertRaises(SluiceError) as caught:
                    Tokenizer("o200k_base", special="error").encode(pa.array(["fine"] * 20 + ["x<|endoftext|>"]))
                self.assertEqual((caught.exception.row, caught.exception.byte_offset), (20, 1))

    def test_a_text_that_is_too_long_is_named(self):
        with unittest.mock.patch.multiple(sluice_arrow, PIECE_BYTES=10, LONGEST_TEXT=100):
            for call in ("encode", "count"):
                with self.assertRaises(SluiceError) as caught:
                    getattr(Tokenizer("o200k_base"), call)(pa.array(["fine", "x" * 100, "x" * 101]))
                self.assertEqual(str(caught.exception), "A text of 101 bytes is longer than 100 (row 2) [SLUICE_TOO_LARGE]")

    def test_special_tokens_are_text_or_tokens_or_errors(self):
        array = pa.array(["ok", None, "ab<|endoftext|>"])
        as_text, as_token = (Tokenizer("o200k_base", special=mode).encode(array).to_pylist() for mode in ("text", "allow"))
        self.assertEqual(as_text, truth("o200k_base", array.to_pylist()))
        self.assertEqual(as_token[2], [*truth("o200k_base", ["ab"])[0], 199999])
        for call in ("encode", "count"):
            with self.assertRaises(SluiceError) as caught:
                getattr(Tokenizer("o200k_base", special="error"), call)(array)
            error = caught.exception
            self.assertEqual((error.code, error.row, error.byte_offset), ("SLUICE_SPECIAL_TOKEN", 2, 2))
            self.assertIn("(row 2, byte 2) [SLUICE_SPECIAL_TOKEN]", str(error))

    def test_the_end_token_is_appended_or_prepended(self):
        texts = [None, "", *(text for text in self.texts[:200] if "<|" not in (text or ""))]
        for name, end in [("o200k_base", 199999), ("cl100k_base", 100257), ("r50k_base", 50256)]:
            plain = truth(name, texts)
            for eos, before, after in [("append", [], [end]), ("prepend", [end], [])]:
                for special in ("text", "error"):
                    tokenizer = Tokenizer(name, eos=eos, special=special)
                    expected = [None if ids is None else before + ids + after for ids in plain]
                    self.assertEqual(tokenizer.encode(pa.array(texts)).to_pylist(), expected)
                    self.assertEqual(tokenizer.count(pa.array(texts)).to_pylist(), lengths(plain))

    def test_invalid_utf8_is_named_by_row_and_byte(self):
        array = pa.array([b"fine", None, b"ab\xff"]).view(pa.string())
        for call in ("encode", "count"):
            with self.assertRaises(SluiceError) as caught:
                getattr(Tokenizer("o200k_base"), call)(array)
            error = caught.exception
            self.assertEqual((error.code, error.row, error.byte_offset), ("SLUICE_INVALID_UTF8", 2, 2))
        # Two texts that are valid only together.
        halves = pa.array([b"\xc3", b"\xa9"]).view(pa.string())
        with self.assertRaises(SluiceError) as caught:
            Tokenizer("o200k_base").encode(halves)
        self.assertEqual((caught.exception.code, caught.exception.row), ("SLUICE_INVALID_UTF8", 0))


class Documents(unittest.TestCase):
    def test_the_examples_print_what_they_say(self):
        self.assertEqual(doctest.testmod(sluice_arrow), (0, 3))
        with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
            program = re.search(r"```python\n(.*?)```", file.read(), re.DOTALL)[1]
        expected = re.findall(r"print\(.*\)  # (.*)", program)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(program, {})
        self.assertEqual(printed.getvalue().splitlines(), expected)
        self.assertEqual(len(expected), 2)


class Arguments(unittest.TestCase):
    def test_what_is_no_array_of_strings_is_a_type_error_that_names_it(self):
        for value in NONE_OF_THESE_IS_STRINGS:
            for call in ("encode", "count"):
                with self.subTest(value=value), self.assertRaisesRegex(TypeError, "^texts must be a pyarrow Array or "):
                    getattr(Tokenizer("o200k_base"), call)(value)

    def test_options_are_checked_by_name_and_value(self):
        for error, text, options in [
            (TypeError, "encoding must be a str, not 5 of type int", {"encoding": 5}),
            (TypeError, 'special must be one of "text", "allow", "error", not None of type NoneType', {"special": None}),
            (ValueError, 'special must be one of "text", "allow", "error", not \'txt\'', {"special": "txt"}),
            (TypeError, 'eos must be one of "none", "append", "prepend", not True of type bool', {"eos": True}),
            (ValueError, 'eos must be one of "none", "append", "prepend", not \'after\'', {"eos": "after"}),
        ]:
            with self.subTest(text), self.assertRaises(error) as caught:
                Tokenizer(**{"encoding": "o200k_base", **options})
            self.assertEqual(str(caught.exception), text)

    def test_an_unknown_encoding_has_its_code(self):
        for name in ("o201k_base", "", "\ud800", "x" * 5000):
            with self.assertRaises(SluiceError) as caught:
                Tokenizer(name)
            self.assertEqual(caught.exception.code, "SLUICE_UNKNOWN_ENCODING")
            self.assertIsNone(caught.exception.row)

    def test_tokenizers_and_errors_can_be_pickled(self):
        for options in ({}, {"special": "allow", "eos": "append"}):
            tokenizer = Tokenizer("cl100k_base", **options)
            self.assertEqual(repr(pickle.loads(pickle.dumps(tokenizer))), repr(tokenizer))
        error = pickle.loads(pickle.dumps(SluiceError("SLUICE_TOO_LARGE", "message", 3, 4)))
        self.assertEqual((error.code, error.row, error.byte_offset), ("SLUICE_TOO_LARGE", 3, 4))


class Threads(unittest.TestCase):
    def test_threads_share_a_tokenizer_that_another_thread_made(self):
        # No other test has opened this encoding, so its only reader is that of the maker, and ends with it.
        made = []
        maker = threading.Thread(target=lambda: made.append(Tokenizer("p50k_edit")))
        maker.start()
        maker.join()
        texts = random_texts(7, 300)
        expected = truth("p50k_edit", texts)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for ids in pool.map(lambda _: made[0].encode(pa.array(texts)).to_pylist(), range(24)):
                self.assertEqual(ids, expected)

    def test_the_lock_of_the_interpreter_is_released(self):
        # One call of some 100 ms, during which another thread must get to run.
        text = pa.array([" ".join(text or "" for text in random_texts(9, 3000)) * 20])
        ticks = []
        stop = threading.Event()
        other = threading.Thread(target=lambda: [ticks.append(1) for _ in iter(lambda: stop.wait(0.001), True)])
        tokenizer = Tokenizer("o200k_base")
        other.start()
        before = len(ticks)
        tokenizer.count(text)
        during = len(ticks) - before
        stop.set()
        other.join()
        self.assertGreater(during, 3)

    def test_a_reader_is_closed_with_the_state_of_its_thread(self):
        # Threads that Python did not make get a new state with each call, as those of Ray may.
        numbers = []

        def run():
            Tokenizer("r50k_base")
            numbers.extend(reader.number for reader in sluice_arrow._of_thread.readers.values())
            del sluice_arrow._of_thread.readers
            gc.collect()
            numbers.append(sluice_arrow._library().sluice_lines_close(numbers[0]))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        self.assertEqual(sluice_arrow.STATUS_CODES[numbers[1]], "SLUICE_INVALID_HANDLE")

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    def test_a_child_of_fork_goes_on(self):
        tokenizer = Tokenizer("o200k_base")
        expected = tokenizer.encode(pa.array(["Hello, world!"])).to_pylist()
        child = os.fork()
        if child == 0:
            same = tokenizer.encode(pa.array(["Hello, world!"])).to_pylist() == expected
            os._exit(0 if same else 9)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


class Loading(unittest.TestCase):
    """In processes of their own, because a library is loaded once."""

    PRINT_ERROR = "import sluice_arrow\ntry:\n  sluice_arrow.Tokenizer('o200k_base')\nexcept sluice_arrow.SluiceError as e:\n  print(e.code)\n  print(e)"

    def python(self, program: str, folder: str = HERE, **variables: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "SLUICE_LIB"}
        environment.update(variables, PYTHONPATH=folder)
        run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def copied(self, folder: str, edit=lambda text: text) -> str:
        with open(os.path.join(HERE, "sluice_arrow.py"), encoding="utf-8") as file:
            text = edit(file.read())
        with open(os.path.join(folder, "sluice_arrow.py"), "w", encoding="utf-8") as file:
            file.write(text)
        return folder

    def test_it_is_found_next_to_the_file_and_in_node_modules(self):
        built = sluice_arrow._library()._name
        program = "import sluice_arrow; print(sluice_arrow._library()._name)"
        with tempfile.TemporaryDirectory() as folder:
            jobs = os.path.join(folder, "jobs")
            os.mkdir(jobs)
            self.copied(jobs)
            paths = list(sluice_arrow._candidates())
            packaged = next(path for path in paths if "node_modules" in path).split("node_modules")[1]
            for path in (os.path.join(folder, "node_modules" + packaged), os.path.join(jobs, os.path.basename(built))):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(os.path.abspath(built), path)
                self.assertEqual(self.python(program, jobs).strip(), path)
            self.assertEqual(self.python(program, jobs, SLUICE_LIB=built).strip(), built)

    @unittest.skipUnless(sys.platform == "linux", "only Linux has two C libraries")
    def test_it_is_the_one_for_the_c_library_of_the_interpreter(self):
        for host, libc in (("x86_64-pc-linux-gnu", "gnu"), ("x86_64-alpine-linux-musl", "musl"), (None, "gnu")):
            with unittest.mock.patch("sysconfig.get_config_var", return_value=host):
                packages = {os.path.basename(os.path.dirname(path)) for path in sluice_arrow._candidates()}
            self.assertTrue(any(name.endswith(f"-{libc}") for name in packages), packages)

    def test_what_cannot_be_loaded_has_a_code_and_names_the_path(self):
        with tempfile.TemporaryDirectory() as folder:
            self.copied(folder)
            code, *message = self.python(self.PRINT_ERROR, folder).splitlines()
            self.assertEqual(code, "SLUICE_LIBRARY_NOT_FOUND")
            self.assertIn(f"  {folder}", message[1])
            gone = os.path.join(folder, "gone.so")
            self.assertIn(gone, self.python(self.PRINT_ERROR, folder, SLUICE_LIB=gone))
            broken = os.path.join(folder, "broken.so")
            with open(broken, "wb") as file:
                file.write(b"no library")
            code, *message = self.python(self.PRINT_ERROR, folder, SLUICE_LIB=broken).splitlines()
            self.assertEqual(code, "SLUICE_LIBRARY_NOT_LOADED")
            self.assertIn(broken, message[0])

    def test_a_library_of_another_version_is_refused(self):
        built = sluice_arrow._library()._name
        with tempfile.TemporaryDirectory() as folder:
            self.copied(folder, lambda text: text.replace(f"ABI_HASH = {sluice_arrow.ABI_HASH:#010x}", "ABI_HASH = 0x00000001"))
            code, *message = self.python(self.PRINT_ERROR, folder, SLUICE_LIB=built).splitlines()
            self.assertEqual(code, "SLUICE_ABI_MISMATCH")
            self.assertIn(f"has the ABI hash {sluice_arrow.ABI_HASH:#010x}, and this file needs 0x00000001", message[0])
            other = sys.modules["pyarrow.lib"].__file__
            code, *message = self.python(self.PRINT_ERROR, folder, SLUICE_LIB=other).splitlines()
            self.assertEqual(code, "SLUICE_ABI_MISMATCH")
            self.assertIn("has no ABI hash", message[0])


if __name__ == "__main__":
    unittest.main()
