//! Kernels with vectors of 32 bytes, and a hash by rounds of AES.

use super::{block_bytes::BlockBytes, nibbles::Nibbles};
use crate::arch::{
    classes::Classes,
    processor::{Processor, WithCpu},
    vector_block::classify,
};
use std::arch::x86_64::{
    __m128i, __m256i, _MM_HINT_T0, _mm_aesenc_si128, _mm_cvtsi128_si32, _mm_prefetch,
    _mm_set1_epi64x, _mm_testz_si128, _mm_xor_si128, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_movemask_ps, _mm256_set_epi64x,
};
use std::sync::OnceLock;

/// The features that [`run`] is compiled for.
pub(in crate::arch) const FEATURES: &str = "aes avx2 bmi1 bmi2 lzcnt popcnt";

/// Whether the processor has the features that [`run`] is compiled for.
#[inline(always)]
pub(in crate::arch) fn is_available() -> bool {
    static IS_AVAILABLE: OnceLock<bool> = OnceLock::new();
    *IS_AVAILABLE.get_or_init(|| {
        is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
    })
}

#[target_feature(enable = "aes,avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(in crate::arch) fn run<W: WithCpu>(work: W) -> W::Output {
    work.run(Avx2(()))
}

#[inline(never)]
#[target_feature(enable = "aes,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run_outlined<W: WithCpu>(work: W) -> W::Output {
    work.run(Avx2(()))
}

/// A processor with AVX2, BMI and AES. A value exists only within [`run`] and [`run_outlined`].
#[derive(Clone, Copy)]
pub(in crate::arch) struct Avx2(());

impl Processor for Avx2 {
    #[inline(always)]
    fn classify(self, block: &[u8; 64]) -> Classes {
        let (low, high) = block.split_at(32);
        // SAFETY: an `Avx2` exists, so the processor has AVX2, and both halves of the block
        // are 32 bytes long; the loads need no alignment.
        let halves = unsafe {
            [
                _mm256_loadu_si256(low.as_ptr().cast::<__m256i>()),
                _mm256_loadu_si256(high.as_ptr().cast::<__m256i>()),
            ]
        };
        classify::<Nibbles>(BlockBytes(halves), |offset| block[offset % 64])
    }

    #[inline(always)]
    fn classify_words(self, words: [u64; 8]) -> Classes {
        let [a, b, c, d, e, f, g, h] = words.map(u64::cast_signed);
        // SAFETY: an `Avx2` exists, so the processor has AVX2.
        let halves = unsafe { [_mm256_set_epi64x(d, c, b, a), _mm256_set_epi64x(h, g, f, e)] };
        classify::<Nibbles>(BlockBytes(halves), |offset| {
            (words[offset / 8 % 8] >> (offset % 8 * 8)) as u8
        })
    }

    #[inline(always)]
    fn signs(self, words: &[u32; 64]) -> u64 {
        let eights = words.as_chunks::<8>().0.iter();
        eights.zip((0..64).step_by(8)).fold(0, |signs, (eight, offset)| {
            // SAFETY: an `Avx2` exists, so the processor has AVX2, and eight words are 32 bytes; the
            // load needs no alignment.
            let eight = unsafe { _mm256_movemask_ps(_mm256_loadu_ps(eight.as_ptr().cast())) };
            signs | u64::from(eight.cast_unsigned()) << offset
        })
    }

    /// By VPTEST: the keys are in vector registers, and compilers do not find this instruction.
    #[inline(always)]
    fn is_equal_in(self, one: u128, other: u128, mask: u128) -> bool {
        // SAFETY: an `Avx2` exists, so the processor has SSE4.1. Words and vectors are both 16 bytes, of any value.
        unsafe {
            let [one, other, mask] =
                [one, other, mask].map(|word| std::mem::transmute::<u128, __m128i>(word));
            _mm_testz_si128(_mm_xor_si128(one, other), mask) != 0
        }
    }

    /// Three rounds of AES. The key is in a vector register, and moving it to general registers for a multiplication
    /// takes longer. After two rounds, the lower word would still have only 256 values for keys that differ in two
    /// bytes of one diagonal of the AES state.
    #[inline(always)]
    fn cache_hash(self, key: u128) -> u64 {
        // SAFETY: an `Avx2` exists, so the processor has AES. A key and a vector are both 16 bytes, of any value.
        let mixed = unsafe {
            let key = std::mem::transmute::<u128, __m128i>(key);
            let round = _mm_set1_epi64x(0x9E37_79B9_7F4A_7C15_u64.cast_signed());
            let mixed = _mm_aesenc_si128(_mm_aesenc_si128(key, round), round);
            _mm_cvtsi128_si32(_mm_aesenc_si128(mixed, round))
        };
        u64::from(mixed.cast_unsigned())
    }

    #[inline(always)]
    fn prefetch<T>(self, soon: &T) {
        // SAFETY: every x86-64 has the instruction, which changes nothing and cannot fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(soon).cast()) };
    }

    #[inline(always)]
    fn run_outlined<W: WithCpu>(self, work: W) -> W::Output {
        // SAFETY: an `Avx2` exists, so the processor has the features that `run_outlined` is compiled for.
        unsafe { run_outlined(work) }
    }
}
