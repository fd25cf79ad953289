//! Classification of characters outside ASCII by nibble lookups with byte shuffles, one page of 128 characters at a
//! time.
//!
//! The lookup is the vectorized classification of Langdale and Lemire ("Parsing gigabytes of JSON per second", 2019)
//! with tables that are chosen at run time. A text has few alphabets, and 128 consecutive characters share all bits
//! of their bytes but the last six and the lowest of the byte before: they are a [`Page`]. So the first unclassified
//! character selects a page, and all characters of that page are classified at once. Han and Hangul have a hundred
//! pages, but consist of letters only, and emoji are symbols; both are classified by ranges.

use super::block_bytes::BlockBytes;
use crate::{
    arch::classes::{Classes, NonAscii},
    unicode::{Page, page},
};
use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_alignr_epi8, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi16,
    _mm256_srli_epi16,
};

/// Classifies the characters in `classes.high`, except those of four bytes that are not emoji. `byte` returns the
/// byte at an offset of the block.
#[inline(always)]
pub(super) fn classify(classes: Classes, block: BlockBytes, byte: impl Fn(usize) -> u8) -> Classes {
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
    let nibbles = Nibbles::new(block);
    // The address of this page is known before the block is read, so its load does not wait.
    let cyrillic = left & nibbles.even.equal(0xD0);
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
                block.equal(begin) & nibbles.even.equal(second & !1) >> 1
            } else {
                nibbles.even.equal(begin & !1)
            };
        left &= !same_page;
        classified.add(nibbles.codes(page(begin, second), 1 + u32::from(is_three), same_page));
    }
    classes.with_first_bytes(classified, first)
}

/// The first bytes of U+1F000 to U+1FFFF, except in the two ranges that contain numbers.
#[inline(always)]
fn emoji(block: BlockBytes) -> u64 {
    let numbers = block.equal(0x84) | block.equal(0xAF);
    block.equal(0xF0) & block.equal(0x9F) >> 1 & !(numbers >> 2)
}

/// The first bytes of U+4E00 to U+9FFF and U+AC00 to U+D77F.
#[inline(always)]
fn han_and_hangul(block: BlockBytes) -> u64 {
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

/// The operands of lookups in a [`Page`], for each byte of a block.
struct Nibbles {
    /// The byte without its lowest bit.
    even: BlockBytes,
    /// The lowest four bits of the byte.
    low: [__m256i; 2],
    /// One of eight bits, selected by bits 4 and 5 of the byte and the lowest bit of the byte before.
    eighth: [__m256i; 2],
}

impl Nibbles {
    #[inline(always)]
    fn new(BlockBytes([first, second]): BlockBytes) -> Self {
        // SAFETY: a `BlockBytes` exists, so the processor has AVX2.
        unsafe {
            let (one, low) = (_mm256_set1_epi8(1), _mm256_set1_epi8(0x0F));
            let ahead = _mm256_permute2x128_si256::<0x08>(first, first);
            let middle = _mm256_permute2x128_si256::<0x21>(first, second);
            Self {
                even: BlockBytes([
                    _mm256_andnot_si256(one, first),
                    _mm256_andnot_si256(one, second),
                ]),
                low: [_mm256_and_si256(first, low), _mm256_and_si256(second, low)],
                eighth: [
                    eighth(first, _mm256_alignr_epi8::<15>(first, ahead)),
                    eighth(second, _mm256_alignr_epi8::<15>(second, middle)),
                ],
            }
        }
    }

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

    /// A bit for every byte whose `eighth` bit is set in the table entry of its lowest four bits.
    #[inline(always)]
    fn members(&self, sixteen: &[u8; 16]) -> u64 {
        let ([low, high], [eighth_low, eighth_high]) = (self.low, self.eighth);
        // SAFETY: a `BlockBytes` existed, so the processor has AVX2; sixteen bytes are there, and the load
        // needs no alignment.
        let found = unsafe {
            let sixteen = _mm256_broadcastsi128_si256(_mm_loadu_si128(sixteen.as_ptr().cast()));
            let low = _mm256_and_si256(_mm256_shuffle_epi8(sixteen, low), eighth_low);
            let high = _mm256_and_si256(_mm256_shuffle_epi8(sixteen, high), eighth_high);
            [_mm256_cmpeq_epi8(low, eighth_low), _mm256_cmpeq_epi8(high, eighth_high)]
        };
        BlockBytes(found).bits()
    }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn eighth(half: __m256i, before: __m256i) -> __m256i {
    // SAFETY: the caller guarantees AVX2.
    unsafe {
        let eighths = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
        let two = _mm256_and_si256(_mm256_srli_epi16::<4>(half), _mm256_set1_epi8(3));
        let odd = _mm256_slli_epi16::<2>(_mm256_and_si256(before, _mm256_set1_epi8(1)));
        _mm256_shuffle_epi8(eighths, _mm256_or_si256(two, odd))
    }
}
