//! Classification byte by byte with a lookup table, in safe Rust for any processor.

use super::{classes::Classes, processor::Processor};
use crate::vocab::is_splittable;

/// Any processor.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'A'..=b'Z' => 1,
            b'a'..=b'z' => 2,
            b'0'..=b'9' => 3,
            b' ' => 4,
            b'\t' | 0x0B | 0x0C => 5,
            b'\r' | b'\n' => 6,
            b'\'' => 7,
            b'/' => 8,
            0x80.. => 9,
            _ => 0,
        };
        byte += 1;
    }
    table
}

static TABLE: [u8; 256] = table();

impl Processor for Portable {
    #[inline(always)]
    fn classify(self, block: &[u8; 64]) -> Classes {
        let mut masks = [0u64; 16];
        for (at, &byte) in block.iter().enumerate() {
            masks[usize::from(TABLE[usize::from(byte)] & 15)] |= 1 << at;
        }
        let [_, upper, lower, digit, space, blank, line_end, apostrophe, slash, high, ..] = masks;
        Classes {
            upper,
            lower,
            digit,
            space,
            blank,
            line_end,
            apostrophe,
            slash,
            high,
            splittable: if high == 0 { 0 } else { Self::splittable(block) },
            ..Classes::default()
        }
    }

    #[inline(always)]
    fn signs(self, words: &[u32; 64]) -> u64 {
        (0..).zip(words).fold(0, |signs, (bit, word)| signs | u64::from(word >> 31) << bit)
    }

    #[inline(always)]
    fn classify_words(self, words: [u64; 8]) -> Classes {
        let mut block = [0; 64];
        for (bytes, word) in block.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        self.classify(&block)
    }
}

impl Portable {
    /// The first bytes of characters that are splittable.
    fn splittable(block: &[u8; 64]) -> u64 {
        let last = [block[63], 0xBF];
        let pairs = block.windows(2).chain([&last[..]]).enumerate();
        pairs.fold(0, |bits, (bit, pair)| bits | u64::from(is_splittable(pair[0], pair[1])) << bit)
    }
}
