//! Generates the Unicode classes that the splitting patterns speak of.
//!
//! The ranges come from `regex-syntax`, whose tables are what tiktoken's own regex engine uses,
//! so both know the same Unicode version (16). The result is a two-stage table: one index per
//! block of 128 code points, and the distinct blocks, of which a byte can name any.
//!
//! For vector instructions each block is there in a second form (the engine's `unicode::Page`).

use regex_syntax::hir::{Class, HirKind};
use std::fmt::Write;

/// Classes in the order of the engine's `Class`; what no pattern covers is the last, "other".
const CLASSES: [&str; 7] =
    [r"\p{Ll}", r"[\p{Lu}\p{Lt}]", r"[\p{Lm}\p{Lo}]", r"\p{M}", r"\p{N}", r"[\s--\r\n]", r"[\r\n]"];
const OTHER: u8 = 7;
const BLOCK: usize = 128;
const BLOCKS: usize = 256;

/// By class, what pages say of a character: three bits.
const CODES: [u8; 8] = [1, 2, 3, 5, 7, 6, 0, 4];

pub(crate) fn tables() -> String {
    let mut classes = vec![OTHER; 0x11_0000];
    for (pattern, class) in CLASSES.iter().zip(0u8..) {
        let hir = regex_syntax::parse(pattern).expect("the pattern is valid");
        let HirKind::Class(Class::Unicode(set)) = hir.into_kind() else {
            panic!("{pattern} is not a class")
        };
        for range in set.ranges() {
            classes[range.start() as usize..=range.end() as usize].fill(class);
        }
    }
    let mut blocks: Vec<&[u8]> = Vec::new();
    let mut index = Vec::new();
    for block in classes.chunks(BLOCK) {
        let known = blocks.iter().position(|b| *b == block).unwrap_or_else(|| {
            blocks.push(block);
            blocks.len() - 1
        });
        index.push(u8::try_from(known).expect("few blocks differ"));
    }
    blocks.resize(BLOCKS, &[OTHER; BLOCK]);
    let pages: Vec<_> = blocks.iter().map(|block| page(block)).collect();
    let mut source = String::new();
    writeln!(source, "static INDEX: [u8; {}] = {index:?};", index.len()).expect("to a string");
    writeln!(source, "static BLOCKS: [[u8; {BLOCK}]; {BLOCKS}] = {blocks:?};")
        .expect("to a string");
    writeln!(source, "const CODES: [u8; 8] = {CODES:?};").expect("to a string");
    writeln!(source, "static PAGES: [Page; {BLOCKS}] = {pages:?};").expect("to a string");
    source
}

/// The page of a block: entry `i` of sixteen `k` says in bit `j` whether the code of character `16 j + i`
/// has bit `k`.
fn page(block: &[u8]) -> [[u8; 16]; 3] {
    let mut page = [[0; 16]; 3];
    for (number, &class) in block.iter().enumerate() {
        for (k, sixteen) in page.iter_mut().enumerate() {
            sixteen[number % 16] |= (CODES[usize::from(class)] >> k & 1) << (number / 16);
        }
    }
    page
}
