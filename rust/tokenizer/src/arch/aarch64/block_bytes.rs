//! The 64 bytes of a block interleaved over four vector registers, and masks of byte values and byte ranges.
//!
//! Byte `i` of the block is byte `i / 4` of register `i % 4`, as the instruction LD4 loads it. So four bytes that
//! follow each other are in the same byte of the four registers, and three instructions that shift and insert gather
//! their highest bits.

use crate::arch::{classes::Classes, vector_block::VectorBlock};
use std::arch::aarch64::{
    uint8x16_t, uint8x16x4_t, vceqq_u8, vcleq_u8, vcombine_u8, vcreate_u8, vdupq_n_u8,
    vget_lane_u64, vld1q_u8_x4, vld4q_u8, vqtbl4q_u8, vreinterpret_u64_u8, vreinterpretq_u16_u8,
    vshlq_n_u8, vshrn_n_u16, vsriq_n_u8, vsubq_u8, vuzp1q_u8, vuzp2q_u8,
};

/// The bytes of a block, or bytes computed from them.
#[derive(Clone, Copy)]
pub(super) struct BlockBytes(pub(super) [uint8x16_t; 4]);

/// The codes in [`BELOW_64`] of the classes that have only characters below 64.
const DIGIT: u8 = 0b001 << 5;
const SPACE: u8 = 0b010 << 5;
const BLANK: u8 = 0b011 << 5;
const LINE_END: u8 = 0b100 << 5;
const APOSTROPHE: u8 = 0b101 << 5;
const SLASH: u8 = 0b110 << 5;

/// For each character below 64 the code of its class in the highest three bits, or 0.
static BELOW_64: [u8; 64] = {
    let mut codes = [0; 64];
    let mut byte = 0;
    while byte < 64 {
        codes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b' ' => SPACE,
            b'\t' | 0x0B | 0x0C => BLANK,
            b'\r' | b'\n' => LINE_END,
            b'\'' => APOSTROPHE,
            b'/' => SLASH,
            _ => 0,
        };
        byte += 1;
    }
    codes
};

impl VectorBlock for BlockBytes {
    #[inline(always)]
    fn equal(self, byte: u8) -> u64 {
        // SAFETY: NEON is part of the target.
        self.map(|bytes| unsafe { vceqq_u8(bytes, vdupq_n_u8(byte)) }).bits()
    }

    #[inline(always)]
    fn within(self, first: u8, last: u8) -> u64 {
        let length = last - first;
        // SAFETY: NEON is part of the target.
        let is_within =
            |bytes| unsafe { vcleq_u8(vsubq_u8(bytes, vdupq_n_u8(first)), vdupq_n_u8(length)) };
        self.map(is_within).bits()
    }

    /// One lookup finds the six classes below 64. A byte beyond the table has the code 0.
    #[inline(always)]
    fn ascii_classes(self) -> Classes {
        // SAFETY: NEON is part of the target, the table is as long as the load, and the load needs no alignment.
        let codes = unsafe {
            let table = vld1q_u8_x4(BELOW_64.as_ptr());
            self.map(|bytes| vqtbl4q_u8(table, bytes))
        };
        let a = codes.bits();
        // SAFETY: NEON is part of the target.
        let [b, c] = unsafe {
            [codes.map(|codes| vshlq_n_u8::<1>(codes)), codes.map(|codes| vshlq_n_u8::<2>(codes))]
        };
        let (b, c) = (b.bits(), c.bits());
        Classes {
            upper: self.within(b'A', b'Z'),
            lower: self.within(b'a', b'z'),
            digit: c & !(a | b),
            space: b & !(a | c),
            blank: b & c,
            line_end: a & !(b | c),
            apostrophe: a & c,
            slash: a & b,
            high: self.bits(),
            ..Classes::default()
        }
    }
}

impl BlockBytes {
    #[inline(always)]
    pub(super) fn load(block: &[u8; 64]) -> Self {
        // SAFETY: NEON is part of the target, and the block is as long as the load, which needs no alignment.
        let uint8x16x4_t(a, b, c, d) = unsafe { vld4q_u8(block.as_ptr()) };
        Self([a, b, c, d])
    }

    /// The block that consists of these words, their lowest bytes first.
    #[inline(always)]
    pub(super) fn from_words(words: [u64; 8]) -> Self {
        // SAFETY: NEON is part of the target.
        let interleaved = unsafe {
            let [a, b, c, d] = std::array::from_fn(|i| {
                vcombine_u8(vcreate_u8(words[2 * i]), vcreate_u8(words[2 * i + 1]))
            });
            let (even_first, even_last) = (vuzp1q_u8(a, b), vuzp1q_u8(c, d));
            let (odd_first, odd_last) = (vuzp2q_u8(a, b), vuzp2q_u8(c, d));
            [
                vuzp1q_u8(even_first, even_last),
                vuzp1q_u8(odd_first, odd_last),
                vuzp2q_u8(even_first, even_last),
                vuzp2q_u8(odd_first, odd_last),
            ]
        };
        Self(interleaved)
    }

    #[inline(always)]
    pub(super) fn map(self, kernel: impl Fn(uint8x16_t) -> uint8x16_t) -> Self {
        Self(self.0.map(kernel))
    }

    /// The highest bit of every byte.
    #[inline(always)]
    pub(super) fn bits(self) -> u64 {
        let Self([a, b, c, d]) = self;
        // SAFETY: NEON is part of the target.
        unsafe {
            let (ab, cd) = (vsriq_n_u8::<1>(b, a), vsriq_n_u8::<1>(d, c));
            // The highest four bits of each byte: those of `d`, `c`, `b` and `a`.
            let four = vsriq_n_u8::<2>(cd, ab);
            // Their copies in the lowest four bits, from which pairs of bytes are narrowed to one byte.
            let pairs = vreinterpretq_u16_u8(vsriq_n_u8::<4>(four, four));
            vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(pairs)))
        }
    }
}
