//! Lookups in a [`Page`](crate::unicode::Page) with byte shuffles of AVX2.

use super::block_bytes::BlockBytes;
use crate::arch::vector_block;
use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_alignr_epi8, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi16,
    _mm256_srli_epi16,
};

/// The operands of lookups in a [`Page`](crate::unicode::Page), for each byte of a block.
pub(super) struct Nibbles {
    /// The byte without its lowest bit.
    even: BlockBytes,
    /// The lowest four bits of the byte.
    low: [__m256i; 2],
    /// One of eight bits, selected by bits 4 and 5 of the byte and the lowest bit of the byte before.
    eighth: [__m256i; 2],
}

impl vector_block::Nibbles for Nibbles {
    type Block = BlockBytes;

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

    #[inline(always)]
    fn even(&self) -> BlockBytes {
        self.even
    }

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
