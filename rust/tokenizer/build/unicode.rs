//! Generates the two-stage table of the Unicode classes that the splitting patterns use.
//!
//! The ranges come from `regex-syntax`, whose tables tiktoken's own regex engine uses, so both have the same Unicode
//! version (16). The table has an index of one byte for each block of 128 code points, and the distinct blocks.
//!
//! For vector instructions, each block exists in a second form (the engine's `unicode::Page`).

use regex_syntax::hir::{Class, HirKind};
use std::fmt::Write;

/// The classes in the order of the engine's `Class`. Code points that no pattern matches are of the last class,
/// "other".
const CLASSES: [&str; 7] =
    [r"\p{Ll}", r"[\p{Lu}\p{Lt}]", r"[\p{Lm}\p{Lo}]", r"\p{M}", r"\p{N}", r"[\s--\r\n]", r"[\r\n]"];
const OTHER: u8 = 7;
const BLOCK: usize = 128;
const BLOCKS: usize = 256;

/// By class, the three bits that pages have for a character.
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
    writeln!(source, "#[cfg(has_vector_kernels)]\nstatic PAGES: [Page; {BLOCKS}] = {pages:?};")
        .expect("to a string");
    source
}

/// The page of a block: bit `j` of byte `i` of table `k` is bit `k` of the code of character `16 j + i`.
fn page(block: &[u8]) -> [[u8; 16]; 3] {
    let mut page = [[0; 16]; 3];
    for (number, &class) in block.iter().enumerate() {
        for (k, sixteen) in page.iter_mut().enumerate() {
            sixteen[number % 16] |= (CODES[usize::from(class)] >> k & 1) << (number / 16);
        }
    }
    page
}
