"""The texts of the goldens: every rule that a splitter can get wrong, one function per fixture file.

All texts were written for this project or are generated from the alphabet below; none is taken from a corpus.
"""

import random

# One or more characters of every class that a pattern of tiktoken distinguishes, plus the neighbours that a
# hand-written splitter is likely to confuse with them (U+FEFF and U+200B are not white space, U+0085 is).
ALPHABET = {
    "Lu": "AÉΩ",
    "Ll": "bßя",
    "Ll folds to s": "ſ",
    "contraction letters": "sSdmtlvre",
    "Lt": "ǅ",
    "Lm": "ʰー",
    "Lo": "中اªア",
    "Mn": "\u0301\u3099",
    "Mc": "\u0903",
    "Me": "\u20dd",
    "Nd": "17٣",
    "Nl": "Ⅷ",
    "No": "²½",
    "P": "!_—。",
    "apostrophe": "'",
    "typographic apostrophe": "’",
    "slash": "/",
    "S": "$+€😀",
    "space": " ",
    "Zs": "\u00a0\u3000\u202f",
    "Zl Zp": "\u2028\u2029",
    "tab, VT, FF": "\t\u000b\u000c",
    "NEL": "\u0085",
    "Cc, not white space": "\u0000\u001c\u007f",
    "Cf, not white space": "\u200b\ufeff\u200d\u180e",
    "CR": "\r",
    "LF": "\n",
    "Co": "\ue000",
    "Cn": "\u0378",
    "noncharacter": "\uffff",
}

PAIR_ALPHABET = "AébǅſʰЯ中\u0301\u0903" + "1٣Ⅷ½" + "!'/$😀" + " \u00a0\u3000\t\u0085\ufeff\u200d\r\n" + "\u0378"


def hazards():
    """Inputs on which at least one published tokenizer is or was wrong."""
    yield "NEL is white space", " \x850"
    yield "BOM is a token of its own", "\ufeffhi"
    yield "BOM is not white space", "a \ufeffb"
    yield "special names are text", "hello <|endoftext|> x"
    yield "long s folds to s", "I'ſtop"
    yield "long s, upper case neighbours", "I'ſTOP I'ſ"
    yield "Kelvin sign is a letter", "273K'S"
    yield "case run between ideographs", "亚洲AV中文"
    yield "marks belong to both letter classes", "e\u0301E\u0301e"
    yield "mark after punctuation", "!\u0301a"
    yield "mark first", "\u0301abc"
    yield "only marks", "\u0301\u0301\u0301"
    yield "no-break space before a word", "a\u00a0b\u00a0\u00a0c"
    yield "ZWJ chain", "👨\u200d👩\u200d👧\u200d👦 family"
    yield "flags", "🇩🇪🇫🇷🇯🇵"
    yield "skin tone", "👍🏽👍"
    yield "NUL is text", "a\x00b\x00\x00"
    yield "Mongolian vowel separator is not white space", "a \u180eb"
    yield "zero width space is not white space", "a \u200bb"
    yield "information separators are not white space", "a \x1cb\x1d\x1e\x1f c"
    yield "line and paragraph separators are", "a\u2028b\u2029\u2029c"
    yield "underscores", "_" * 70
    yield "base64-like", "VGhpcyBpcyBhIGxvbmcgcGllY2UgdGhhdCBpcyBub3QgaW4gdGhlIHZvY2FidWxhcnk="
    yield "one letter, many times", "a" * 300
    yield "spaces at the end", "x" + " " * 90
    yield "spaces before a word", " " * 90 + "x"
    yield "tabs before a word", "\t" * 40 + "x"
    yield "empty", ""
    yield "one byte", "a"
    yield "longest tokens are 128 bytes", " " * 128 + "." * 128 + "-" * 129
    yield "Thai without spaces", "ภาษาไทยไม่มีช่องว่างระหว่างคำ"
    yield "Devanagari with vowel signs", "हिन्दी में लिखा गया वाक्य।"
    yield "Arabic with harakat", "كِتَابٌ جَدِيدٌ، ٣٤٥"
    yield "Hebrew with points", "שָׁלוֹם עֲלֵיכֶם"
    yield "Korean, composed and decomposed", "한국어 \u1112\u1161\u11ab"
    yield "Japanese with marks", "カ\u3099キ゛ー、データ"
    yield "German", "Größenwahn ist’s nicht, sondern Übermut."
    yield "Turkish dotted capital", "İSTANBUL'DA ıI"
    yield "source code", "fn main() {\n    let x = 1_000;\n\n\tprintln!(\"{x:?}\"); // done\r\n}\n"
    yield "JSON", '{"role":"user","content":"Don\'t\\n stop","n":[1,22,333,4444]}\n'
    yield "URL", "https://example.com/a/b/?q=1&r=//x\n//y/\r\n/z"


def contractions():
    """Every contraction in every case, with every neighbour that decides whether it is one."""
    forms = ["s", "t", "re", "ve", "m", "ll", "d", "ſ", "x", "l", "r", "v", "lls", "Re", "vE"]
    for form in forms:
        for written in dict.fromkeys([form, form.upper()]):
            yield None, f"we'{written}"
            yield None, f"WE'{written} go"
            yield None, f"'{written}"
            yield None, f" '{written}x"
            yield None, f"1'{written}"
    for text in ["''s", "a''s", "a's's", "a'sb", "a's b's", "a' s", "’s a’s", "\n's", "中's", "中'S中", "\u0301's", "!'s", "a'\u0301s"]:
        yield None, text


def case_runs():
    """The o200k case automaton: all words of up to three letters over the classes that it tells apart."""
    classes = "Aaʰ中\u0301"
    frontier = [""]
    for length in range(1, 4):
        frontier = [word + letter for word in frontier for letter in classes]
        for word in frontier:
            yield None, word
    rng = random.Random(200)
    letters = "AaBbǅʰ中\u0301ſß'sS "
    for _ in range(150):
        yield None, "".join(rng.choice(letters) for _ in range(rng.randint(4, 12)))
    for text in ["camelCaseWords", "HTTPServerError", "iPhoneX", "McDONALD'Ster", "ABCdefGHI", "ÀÉÎõü", "ǅABC", "aǅb", "ABCʰdef", "亚洲AV中文abC"]:
        yield None, text
        yield None, " " + text
        yield None, "-" + text + "'LL"


def whitespace():
    """All runs of up to four white-space characters, at the start, in the middle and at the end."""
    frontier = [""]
    for length in range(1, 5):
        frontier = [run + c for run in frontier for c in (" ", "\n", "\r", "\t")[: 4 if length < 4 else 3]]
        for run in frontier:
            if length < 4:
                yield None, run
                yield None, f"a{run}b"
            else:
                yield None, f"{run}b{run}"
    for c in "\u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\u000b\u000c":
        yield None, f"a{c}b"
        yield None, f"a {c}b"
        yield None, f"a{c} b"
        yield None, f"a{c}{c}1{c}{c}"
        yield None, f"a{c}\nb\n{c}"
        yield None, f"!{c}{c}!"
    for text in ["!\n\n", "!\r\n/\n", "!//\n/x", " /\n /", "/\n\n/", "!\n \n", "?\r\n\r\n  x", "\n  ", " \n  ", "\n\n  \n   ", "a\n  ", "\t\n\t "]:
        yield None, text
    for n in (2, 3, 4, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 79, 80, 81, 82, 83, 84, 100, 127, 128, 129, 200):
        yield None, " " * n
        yield None, " " * n + "x"
        yield None, "\n" * n + "x"
        yield None, "\t" * n + "\n"


def numbers():
    """Digits are counted in characters, include Nl, No and every script, and pair up from the left."""
    for n in range(1, 14):
        digits = "".join(str(i % 10) for i in range(1, n + 1))
        yield None, digits
        yield None, f"a{digits}b"
        yield None, f" {digits} "
    for text in ["٣٤٥٦٧", "1٣2", "½½½½", "Ⅷ²³1", "१२३४", "1,234,567.89", "-1", "1e10", "0x1F", "3rd 2nd", "𝟘𝟙𝟚𝟛", "12345678901234567890", "①②③④", "1\u0301 2", "〇一二三"]:
        yield None, text


def pairs():
    """Every ordered pair of class representatives."""
    for left in PAIR_ALPHABET:
        for right in PAIR_ALPHABET:
            yield None, left + right


def mixed():
    """Seeded random texts over the whole alphabet, short enough to read when one fails."""
    rng = random.Random(14)
    classes = list(ALPHABET.values())
    for _ in range(500):
        text = ""
        for _ in range(rng.randint(2, 9)):
            text += rng.choice(rng.choice(classes)) * rng.choice((1, 1, 1, 2, 3))
        yield None, text


def unicode_versions():
    """Code points that changed class lately, around a letter and a digit so that the class is visible."""
    probes = {
        "Unicode 16 letter U+1C89": "\u1c89",
        "Unicode 16 letter U+105C9": "\U000105c9",
        "Unicode 16 letter U+A7DA": "\ua7da",
        "Unicode 16 letter U+A7CB": "\ua7cb",
        "Unicode 16 Garay digit U+10D40": "\U00010d40",
        "Unicode 16 Garay letter U+10D50": "\U00010d50",
        "Unicode 15.1 ideograph U+2EBF0": "\U0002ebf0",
        "Unicode 17 letter U+16EA0, unassigned in 16": "\U00016ea0",
        "Unicode 17 ideograph U+323B0, unassigned in 16": "\U000323b0",
        "Unicode 17 letter U+11DB0, unassigned in 16": "\U00011db0",
        "Unicode 17 letter U+A7CE, unassigned in 16": "\ua7ce",
        "unassigned U+0378": "\u0378",
        "last code point": "\U0010ffff",
    }
    for name, char in probes.items():
        for text in (f"a{char}b", f"!{char}!", f" {char}", f"1{char}1", f"A{char}'s", f"{char}{char}"):
            yield name, text


def surrogates():
    """JavaScript strings with lone halves; tiktoken reads each lone half as U+FFFD."""
    yield "high half between letters", "a\ud83d b"
    yield "low half between letters", "a\ude00b"
    yield "high half at the end", "end\ud83d"
    yield "low half first", "\ude00start"
    yield "halves in the wrong order", "\ude00\ud83d"
    yield "two high halves", "\ud83d\ud83d"
    yield "high half before a whole pair", "\ud83d😀"
    yield "whole pair before a low half", "😀\ude00"
    yield "a true pair written as two halves", "x\ud83d\ude00y"
    yield "white space around", " \ud800 \udfff\n"
    yield "first and last of both ranges", "\ud800\udbff\udc00\udfff"
    yield "beside a special name", "\ud83d<|endoftext|>\ud83d"


ORDINARY = {
    "hazards": hazards,
    "contractions": contractions,
    "case_runs": case_runs,
    "whitespace": whitespace,
    "numbers": numbers,
    "pairs": pairs,
    "mixed": mixed,
    "unicode_versions": unicode_versions,
}


def specials(names):
    """Texts around the special tokens `names` of one encoding: adjacency, fragments, overlap, white space."""
    first, last = names[0], names[-1]
    for name in names:
        yield name
        yield f"a{name}b"
    yield f"{first}{last}"
    yield f"{first}{first}{last}{first}"
    yield f" {first} "
    yield f"a  {first}  b"
    yield f"a\n\n{first}\n\nb"
    yield f"trailing spaces   {first}   more   "
    yield f"12{first}34567"
    yield f"it{first}'s"
    yield f"é{first}中{last}😀"
    yield f"<|{first}|>"
    yield f"<{first[:-1]}{first}"
    yield f"{first[:-1]}"
    yield f"{first[1:]}"
    yield f"{first[:-2]}{last}"
    yield f"<|<|<|{last}|>|>"
    yield first.upper()
    yield "<|nothing|> <||> <| |>"
    yield "no special at all"
    yield ""
