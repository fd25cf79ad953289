//! Lookups in a [`Page`](crate::unicode::Page) with byte shuffles of NEON.

use super::block_bytes::BlockBytes;
use crate::arch::vector_block;
use std::arch::aarch64::{
    uint8x16_t, vandq_u8, vbicq_u8, vdupq_n_u8, vextq_u8, vld1q_u8, vqtbl1q_u8,
    vreinterpretq_s8_u8, vshlq_u8, vshrq_n_u8, vsliq_n_u8, vtstq_u8,
};

/// The operands of lookups in a [`Page`](crate::unicode::Page), for each byte of a block.
pub(super) struct Nibbles {
    /// The byte without its lowest bit.
    even: BlockBytes,
    /// The lowest four bits of the byte.
    low: [uint8x16_t; 4],
    /// One of eight bits, selected by bits 4 and 5 of the byte and the lowest bit of the byte before.
    eighth: [uint8x16_t; 4],
}

impl vector_block::Nibbles for Nibbles {
    type Block = BlockBytes;

    #[inline(always)]
    fn new(block: BlockBytes) -> Self {
        let BlockBytes([a, b, c, d]) = block;
        // The bytes are interleaved, so only the bytes before those in `a` are not a register already.
        // SAFETY: NEON is part of the target.
        unsafe {
            let before_a = vextq_u8::<15>(vdupq_n_u8(0), d);
            Self {
                even: block.map(|bytes| vbicq_u8(bytes, vdupq_n_u8(1))),
                low: block.map(|bytes| vandq_u8(bytes, vdupq_n_u8(0x0F))).0,
                eighth: [eighth(a, before_a), eighth(b, a), eighth(c, b), eighth(d, c)],
            }
        }
    }

    #[inline(always)]
    fn even(&self) -> BlockBytes {
        self.even
    }

    #[inline(always)]
    fn members(&self, sixteen: &[u8; 16]) -> u64 {
        // SAFETY: NEON is part of the target, sixteen bytes are there, and the load needs no alignment.
        let found = unsafe {
            let sixteen = vld1q_u8(sixteen.as_ptr());
            let found = |i: usize| vtstq_u8(vqtbl1q_u8(sixteen, self.low[i]), self.eighth[i]);
            [found(0), found(1), found(2), found(3)]
        };
        BlockBytes(found).bits()
    }
}

#[inline(always)]
fn eighth(bytes: uint8x16_t, before: uint8x16_t) -> uint8x16_t {
    // SAFETY: NEON is part of the target.
    unsafe {
        // Above the two bits of the byte come all bits of the one before; its lowest is kept.
        let three = vandq_u8(vsliq_n_u8::<2>(vshrq_n_u8::<4>(bytes), before), vdupq_n_u8(7));
        vshlq_u8(vdupq_n_u8(1), vreinterpretq_s8_u8(three))
    }
}
