//! Inputs on which published tokenizers hang, overflow a stack or return wrong ids.

use super::texts::{ATOMS, Rng};

/// A named maker of text of approximately a number of bytes.
pub type Maker = (&'static str, fn(usize) -> String);

/// Every kind of input whose cost must be at most a small multiple of that of prose.
pub const MAKERS: &[Maker] = &[
    ("spaces", |size| " ".repeat(size)),
    ("spaces and a letter", |size| " ".repeat(size) + "x"),
    ("tabs", |size| "\t".repeat(size)),
    ("tabs and a letter", |size| "\t".repeat(size) + "x"),
    ("newlines", |size| "\n".repeat(size)),
    ("newlines and a letter", |size| "\n".repeat(size) + "x"),
    ("CR LF space", |size| "\r\n ".repeat(size / 3)),
    ("space, letter", |size| " a".repeat(size / 2)),
    ("many runs of spaces", |size| (" ".repeat(500) + "x").repeat(size / 501)),
    ("no-break spaces", |size| "\u{a0}".repeat(size / 2) + "x"),
    ("a", |size| "a".repeat(size)),
    ("A", |size| "A".repeat(size)),
    ("AAAA and a", |size| "A".repeat(size) + "a"),
    ("underscores", |size| "_".repeat(size)),
    ("slashes and newlines", |size| "/\n".repeat(size / 2)),
    ("base64", base64),
    ("digits", |size| "0123456789".repeat(size / 10)),
    ("superscripts", |size| "²".repeat(size / 2)),
    ("CJK without spaces", cjk),
    ("one ideograph", |size| "中".repeat(size / 3)),
    ("combining marks", |size| "\u{301}".repeat(size / 2)),
    ("letter and marks", |size| String::from("a") + &"\u{301}".repeat(size / 2)),
    ("emoji ZWJ chain", |size| "👩\u{200d}".repeat(size / 7)),
    ("contractions", |size| "'s".repeat(size / 2)),
    ("letter contractions", |size| "a's".repeat(size / 3)),
    ("apostrophes", |size| "'".repeat(size)),
    ("alternating case", |size| "aB".repeat(size / 2)),
    ("ideograph, upper case", |size| "中A".repeat(size / 4)),
    ("fragments of specials", |size| "<|".repeat(size / 2)),
    ("almost specials", |size| "<|endoftext|".repeat(size / 12)),
    ("random bytes as text", random_bytes),
    ("atoms", atoms),
];

/// Pseudo-random words of one to nine letters: the baseline for the inputs above.
pub fn prose(size: usize) -> String {
    const SYLLABLES: [&str; 16] = [
        "the", "an", "to", "er", "in", "re", "on", "at", "en", "ti", "es", "or", "st", "ar", "nd",
        "al",
    ];
    let mut rng = Rng(7);
    let mut text = String::with_capacity(size + 32);
    while text.len() < size {
        for _ in 0..=rng.below(3) {
            text.push_str(rng.choose(&SYLLABLES));
        }
        text.push_str(if rng.below(12) == 0 { ".\n" } else { " " });
    }
    text
}

fn base64(size: usize) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rng = Rng(64);
    (0..size).map(|_| char::from(rng.choose(DIGITS))).collect()
}

fn cjk(size: usize) -> String {
    let mut rng = Rng(0x4e00);
    (0..size / 3).filter_map(|_| char::from_u32(0x4e00 + rng.below(0x5000) as u32)).collect()
}

fn random_bytes(size: usize) -> String {
    let mut rng = Rng(255);
    let bytes: Vec<u8> = (0..size / 2).map(|_| rng.next() as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn atoms(size: usize) -> String {
    let mut rng = Rng(42);
    let mut text = String::new();
    while text.len() < size {
        text.push_str(rng.choose(ATOMS));
    }
    text
}
