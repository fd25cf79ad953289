//! Generators of texts that are dense in boundaries between the character classes of the splitting patterns.

use std::sync::LazyLock;

use proptest::prelude::*;
use regex_syntax::hir::{Class, HirKind};

/// Characters and short strings that patterns treat specially, or that resemble such strings.
#[rustfmt::skip]
pub const ATOMS: &[&str] = &[
    // White space, and characters that resemble it.
    " ", " ", " ", "  ", "   ", "\n", "\n", "\r", "\r\n", "\t", "\u{85}", "\u{a0}", "\u{b}", "\u{c}",
    "\u{1680}", "\u{2003}", "\u{2028}", "\u{2029}", "\u{202f}", "\u{3000}",
    "\u{feff}", "\u{200b}", "\u{200d}", "\u{180e}", "\u{1c}", "\0",
    // Contractions and their parts.
    "'", "'", "'s", "'S", "'ſ", "'t", "'T", "'re", "'RE", "'Re", "'ve", "'VE", "'m", "'M", "'ll", "'LL",
    "'lL", "'d", "'D", "’s", "ſ", "K", "s",
    // Letters of every kind, and marks.
    "a", "b", "A", "B", "É", "é", "ß", "ẞ", "Я", "я", "ǅ", "ʰ", "ー", "ª", "中", "国", "한", "ア", "ا",
    "\u{301}", "\u{3099}", "\u{903}", "\u{20dd}", "\u{fe0f}",
    // Numbers.
    "0", "1", "9", "12", "123", "1234", "٣", "Ⅷ", "²", "½", "𝟘",
    // Punctuation, symbols, and unassigned code points.
    "/", "//", "/", "!", ".", ",", "_", "-", "—", "。", "(", "\"", "$", "+", "€", "😀", "👨", "🏽", "🇩",
    "\u{e000}", "\u{378}", "\u{fffd}", "\u{ffff}", "\u{10ffff}",
    // Words and fragments.
    "the", " the", "Hello", " World", "HTTP", "camelCase", "ing", "tion", "://", "<|", "|>", "<|endoftext|>",
];

/// Characters of three and four bytes of every class, and characters whose effect depends on their neighbours.
#[rustfmt::skip]
pub const WIDE: &[&str] = &[
    // Letters without case, and with it.
    "中", "国", "一", "か", "ア", "ー", "々", "한", "하", "가", "ไ", "न", "𠀀", "Ａ", "ａ", "Ꭰ", "ꭰ", "Ა", "ა", "𐐀", "𐐨",
    // Marks, joiners, and a tone of skin.
    "\u{903}", "\u{93f}", "\u{e31}", "\u{3099}", "\u{fe0f}", "\u{200d}", "🏽",
    // Punctuation, symbols, numbers, and white space.
    "。", "、", "！", "？", "…", "“", "”", "・", "゛", "👍", "🇩", "❤", "☕", "３", "〇", "🄀", "௧", "\u{3000}", "\u{2003}",
    // Of one and two bytes.
    "a", "A", "é", "É", "Я", "я", "'s", "'", "/", ".", "1", " ", "\n", "\t",
];

/// General categories to draw characters from.
const CATEGORIES: [&str; 20] = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "P", "Sm", "Sc", "Sk", "So",
    "Z", "Cc", "Cf", "Cn",
];

/// Ranges of code points of each category.
static RANGES: LazyLock<Vec<Vec<(char, char)>>> = LazyLock::new(|| {
    let ranges = |category: &&str| {
        let parsed = regex_syntax::parse(&format!(r"\p{{{category}}}")).expect("a category");
        match parsed.kind() {
            HirKind::Class(Class::Unicode(class)) => {
                class.ranges().iter().map(|range| (range.start(), range.end())).collect()
            }
            other => panic!("\\p{{{category}}} is no class: {other:?}"),
        }
    };
    CATEGORIES.iter().map(ranges).collect()
});

/// SplitMix64: seeded, small, the same on every machine.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    pub fn choose<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// A random character of a random category, so that small categories are as likely as large ones.
pub fn class_char(rng: &mut Rng) -> char {
    let category = &RANGES[rng.below(RANGES.len())];
    let (first, last) = rng.choose(category);
    let span = last as usize - first as usize + 1;
    // Ranges of categories never contain surrogates, but `Cn` may touch them.
    char::from_u32(first as u32 + rng.below(span) as u32).unwrap_or(first)
}

/// Appends one fragment: an atom, any character, an ASCII run, or a repeated character.
pub fn push_fragment(rng: &mut Rng, text: &mut String) {
    match rng.below(20) {
        0..=9 => text.push_str(rng.choose(ATOMS)),
        10..=13 => text.push(class_char(rng)),
        14..=16 => {
            let alphabets: [&[u8]; 4] =
                [b"abcdefghijklmnopqrstuvwxyz", b"ABCdefGHIjkl", b"0123456789", b"aA1 .'\n/_"];
            let alphabet = rng.choose(&alphabets);
            for _ in 0..=rng.below(7) {
                text.push(char::from(rng.choose(alphabet)));
            }
        }
        17 => text.push(char::from(rng.below(128) as u8)),
        _ => {
            let unit = rng.choose(ATOMS);
            text.push_str(&unit.repeat(1 + rng.below(6)));
        }
    }
}

/// Writes a short text that is dense in boundaries. One text in 512 is long, one in 32 spans several of the blocks of
/// 64 bytes in which texts are split, and one in 32 consists of random letters, or of random characters of one to
/// three alphabets.
pub fn fill(rng: &mut Rng, text: &mut String) {
    text.clear();
    match rng.below(512) {
        0 => return fill_long(rng, text),
        1..=16 => return fill_blocks(rng, text),
        17..=24 => return fill_high_entropy(rng, text),
        25..=32 => return fill_alphabets(rng, text),
        _ => (),
    }
    for _ in 0..=rng.below(12) {
        push_fragment(rng, text);
    }
}

/// Few kinds of characters, most of them wide, in random order.
pub fn fill_blocks(rng: &mut Rng, text: &mut String) {
    let mut units = Vec::new();
    for _ in 0..1 + rng.below(6) {
        let mut unit = String::new();
        match rng.below(8) {
            0 => unit.push_str(rng.choose(ATOMS)),
            1 => unit.push(class_char(rng)),
            _ => unit.push_str(rng.choose(WIDE)),
        }
        units.push(unit);
    }
    for _ in 0..20 + rng.below(100) {
        let unit = rng.below(units.len());
        text.push_str(&units[unit]);
    }
}

/// Words of up to 70 random letters, as in keys and base64, and separators.
fn fill_high_entropy(rng: &mut Rng, text: &mut String) {
    let alphabets: [&[u8]; 5] = [
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        b"abcdefghijklmnopqrstuvwxyz",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"etaoinshrdluETAOIN",
        b"ingerstIN",
    ];
    let between = [
        " ", "+", "/", "_", "-", ".", "(", "\"", "'", "<", "=", ":", "0", "12", "\n", "\0", "é",
        "中",
    ];
    let letters = rng.choose(&alphabets);
    for _ in 0..1 + rng.below(12) {
        let longest = rng.choose(&[8, 15, 24, 70]);
        for _ in 0..1 + rng.below(longest) {
            text.push(char::from(rng.choose(letters)));
        }
        text.push_str(rng.choose(&between));
    }
}

/// Characters of few alphabets, or replacement characters, in runs that are longer than words.
fn fill_alphabets(rng: &mut Rng, text: &mut String) {
    const ALPHABETS: &[(u32, u32)] = &[
        (0x20, 0x7E),
        (0xA0, 0xFF),
        (0x100, 0x17F),
        (0x300, 0x36F),
        (0x370, 0x3FF),
        (0x400, 0x45F),
        (0x530, 0x58F),
        (0x5D0, 0x5EA),
        (0x620, 0x65F),
        (0x900, 0x97F),
        (0xD00, 0xD7F),
        (0xE00, 0xE5F),
        (0x2000, 0x206F),
        (0x3000, 0x30FF),
        (0x4E00, 0x4E7F),
        (0xAC00, 0xAC7F),
        (0xFF00, 0xFF5E),
        (0xFFFD, 0xFFFD),
        (0x1F600, 0x1F64F),
    ];
    let mut drawn = Vec::new();
    for _ in 0..1 + rng.below(3) {
        drawn.push(rng.choose(ALPHABETS));
    }
    for _ in 0..1 + rng.below(100) {
        let (first, last) = rng.choose(&drawn);
        let character = first + rng.below((last - first) as usize + 1) as u32;
        text.extend(char::from_u32(character));
    }
}

/// One or a few pre-tokens of hundreds of bytes, for the merge by windows.
fn fill_long(rng: &mut Rng, text: &mut String) {
    let kind = rng.below(6);
    let repeated = rng.choose(ATOMS);
    for _ in 0..rng.below(700) {
        match kind {
            0 => text.push(char::from(b'a' + rng.below(26) as u8)),
            1 => text.push(char::from(b'a' + rng.below(2) as u8)),
            2 => text.push(char::from_u32(0x4e00 + rng.below(0x2000) as u32).unwrap_or('中')),
            3 => text.push_str(repeated),
            4 => text.push(rng.choose(&['!', '=', '-', '_', '*', '.', '#'])),
            _ => push_fragment(rng, text),
        }
    }
}

/// Similar texts as a strategy that can shrink: fragments are dropped while the test still fails.
pub fn strategy() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        6 => prop::sample::select(ATOMS).prop_map(String::from),
        2 => any::<u64>().prop_map(|seed| class_char(&mut Rng(seed)).to_string()),
        2 => "[a-z]{1,6}",
        1 => "[ -~]{1,4}",
        1 => any::<char>().prop_map(String::from),
        1 => (prop::sample::select(ATOMS), 2..8usize).prop_map(|(unit, times)| unit.repeat(times)),
    ];
    prop::collection::vec(fragment, 0..16).prop_map(|fragments| fragments.concat())
}
