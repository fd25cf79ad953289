//! Classification of a block in vector registers, generic over the registers. Characters outside ASCII are classified by
//! nibble lookups with byte shuffles, one page of 128 characters at a time.
//!
//! The lookup is the vectorized classification of Langdale and Lemire ("Parsing gigabytes of JSON per second", 2019)
//! with tables that are chosen at run time. A text has few alphabets, and 128 consecutive characters share all bits
//! of their bytes but the last six and the lowest of the byte before: they are a [`Page`]. So the first unclassified
//! character selects a page, and all characters of that page are classified at once. Han and Hangul have a hundred
//! pages, but consist of letters only, and emoji are symbols; both are classified by ranges.

use super::classes::{Classes, NonAscii};
use crate::unicode::{Page, page};

/// With fewer bytes outside ASCII in a block, its characters are left to be classified one by one
/// (`bench/record/2026-11-26-engine-tables.txt`, 24).
const MANY: u32 = 10;

/// The 64 bytes of a block in vector registers, or bytes computed from them.
pub(super) trait VectorBlock: Copy {
    /// A bit for every byte of this value.
    fn equal(self, byte: u8) -> u64;

    /// A bit for every byte in a range.
    fn within(self, first: u8, last: u8) -> u64;

    /// The masks of the ASCII characters, and all other bytes in `high`.
    fn ascii_classes(self) -> Classes;
}

/// The operands of lookups in a [`Page`], for each byte of a block: its lowest four bits, and one of eight bits, which
/// is selected by bits 4 and 5 of the byte and the lowest bit of the byte before.
pub(super) trait Nibbles {
    type Block: VectorBlock;

    fn new(block: Self::Block) -> Self;

    /// The bytes of the block without their lowest bits.
    fn even(&self) -> Self::Block;

    /// A bit for every byte whose one of eight bits is set in the table entry of its lowest four bits.
    fn members(&self, sixteen: &[u8; 16]) -> u64;

    /// The three bits of the page for the characters that begin at `firsts` and end `last` bytes later.
    #[inline(always)]
    fn codes(&self, page: &Page, last: u32, firsts: u64) -> [u64; 3] {
        let [a, b, c] = page;
        [
            self.members(a) >> last & firsts,
            self.members(b) >> last & firsts,
            self.members(c) >> last & firsts,
        ]
    }
}

/// Classifies the bytes of a block. `byte` returns the byte at an offset.
#[inline(always)]
pub(super) fn classify<N: Nibbles>(block: N::Block, byte: impl Fn(usize) -> u8) -> Classes {
    let mut classes = block.ascii_classes();
    let high = classes.high;
    if high == 0 {
        return classes;
    }
    let wide = block.within(0xE0, 0xFF);
    if wide != 0 {
        let not_splittable = block.equal(0xE0) & block.within(0x80, 0xB7) >> 1;
        classes.splittable = wide & !not_splittable;
    }
    if high.count_ones() < MANY { classes } else { classify_non_ascii::<N>(classes, block, byte) }
}

/// Classifies the characters in `classes.high`, except those of four bytes that are not emoji. `byte` returns the
/// byte at an offset of the block.
#[inline(always)]
fn classify_non_ascii<N: Nibbles>(
    classes: Classes,
    block: N::Block,
    byte: impl Fn(usize) -> u8,
) -> Classes {
    let first = block.within(0xC0, 0xFF);
    let wide = block.within(0xE0, 0xFF);
    let mut classified = NonAscii::default();
    let mut left = first & !wide & u64::MAX >> 1;
    if wide != 0 {
        let fours = block.within(0xF0, 0xFF);
        if fours != 0 {
            classified.symbol = emoji(block) & u64::MAX >> 3;
        }
        let three = wide & !fours & u64::MAX >> 2;
        if three & block.within(0xE4, 0xED) != 0 {
            classified.caseless = han_and_hangul(block) & three;
        }
        left |= three & !classified.caseless;
    }
    if left == 0 {
        return classes.with_first_bytes(classified, first);
    }
    let nibbles = N::new(block);
    // The address of this page is known before the block is read, so its load does not wait.
    let cyrillic = left & nibbles.even().equal(0xD0);
    if cyrillic != 0 {
        left &= !cyrillic;
        classified.add(nibbles.codes(page(0xD0, 0), 1, cyrillic));
    }
    while left != 0 {
        let at = left.trailing_zeros() as usize;
        let (begin, second) = (byte(at), byte(at + 1));
        let is_three = begin >= 0xE0;
        let same_page = left
            & if is_three {
                block.equal(begin) & nibbles.even().equal(second & !1) >> 1
            } else {
                nibbles.even().equal(begin & !1)
            };
        left &= !same_page;
        classified.add(nibbles.codes(page(begin, second), 1 + u32::from(is_three), same_page));
    }
    classes.with_first_bytes(classified, first)
}

/// The first bytes of U+1F000 to U+1FFFF, except in the two ranges that contain numbers.
#[inline(always)]
fn emoji(block: impl VectorBlock) -> u64 {
    let numbers = block.equal(0x84) | block.equal(0xAF);
    block.equal(0xF0) & block.equal(0x9F) >> 1 & !(numbers >> 2)
}

/// The first bytes of U+4E00 to U+9FFF and U+AC00 to U+D77F.
#[inline(always)]
fn han_and_hangul(block: impl VectorBlock) -> u64 {
    let letters = block.within(0xE5, 0xE9) | block.within(0xEB, 0xEC);
    let han = block.equal(0xE4) & block.within(0xB8, 0xBF) >> 1;
    let (first, last) = (block.equal(0xEA), block.equal(0xED));
    if first | last == 0 {
        return letters | han;
    }
    let first = first & block.within(0xB0, 0xBF) >> 1;
    let last = last & block.within(0x80, 0x9D) >> 1;
    letters | han | first | last
}
