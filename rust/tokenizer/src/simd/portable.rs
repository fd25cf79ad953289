//! Byte by byte, by table.

use super::{Classes, High, MANY, Processor, WideFirsts};
use crate::utf8::is_wide;

/// Any processor: byte by byte, by table.
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
        let classes = Classes {
            upper,
            lower,
            digit,
            space,
            blank,
            line_end,
            apostrophe,
            slash,
            caseless: 0,
            inner: 0,
            high,
            wide: Self::bits(block, is_wide),
        };
        if high.count_ones() < MANY {
            return classes;
        }
        classes.with_cyrillic(Self::high(block)).with_wide(Self::wide(block, classes.wide))
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
    #[inline(always)]
    fn bits(block: &[u8; 64], is: impl Fn(u8) -> bool) -> u64 {
        block.iter().rev().fold(0, |bits, &byte| bits << 1 | u64::from(is(byte)))
    }

    #[inline(always)]
    fn high(block: &[u8; 64]) -> High {
        High {
            first_half: Self::bits(block, |byte| byte == 0xD0),
            second_half: Self::bits(block, |byte| byte == 0xD1),
            bit_5: Self::bits(block, |byte| byte & 0x20 != 0),
            bit_4: Self::bits(block, |byte| byte & 0x10 != 0),
        }
    }

    #[inline(always)]
    fn wide(block: &[u8; 64], mut wide: u64) -> WideFirsts {
        let mut firsts = WideFirsts { letters: 0, symbols: 0, fours: 0 };
        while wide != 0 {
            let place = wide.trailing_zeros() as usize;
            wide &= wide - 1;
            let Some(bytes) = block[place..].first_chunk::<3>() else { break };
            let of = match bytes {
                [0xE2, 0x80, 0x8B..=0xA7]
                | [0xE3, 0x80, 0x81..=0x84 | 0x88..=0xA0]
                | [0xEF, 0xBC, 0x81..=0x8F | 0x9A..=0xA0] => &mut firsts.symbols,
                [0xE3, 0x81, 0x81..=0xBF]
                | [0xE3, 0x82, 0x80..=0x96 | 0x9D..=0x9F | 0xA1..=0xBF]
                | [0xE3, 0x83, 0x80..=0xBA | 0xBC..=0xBF]
                | [0xE4, 0xB8..=0xBF, _]
                | [0xE5..=0xE9 | 0xEB..=0xEC, ..]
                | [0xEA, 0xB0..=0xBF, _]
                | [0xED, 0x80..=0x9D, _] => &mut firsts.letters,
                [0xF0, 0x9F, third] if !matches!(third, 0x84 | 0xAF) => &mut firsts.fours,
                _ => continue,
            };
            *of |= 1 << place;
        }
        firsts
    }
}
