//! Kernels with four vectors of 16 bytes, and a hash by rounds of AES where the processor has them.

use super::{block_bytes::BlockBytes, nibbles::Nibbles};
use crate::{
    arch::{
        classes::Classes,
        processor::{Processor, WithCpu},
        vector_block::classify,
    },
    vocab::perfect_hash::key_hash,
};
use std::arch::{
    aarch64::{
        uint8x16_t, uint32x4_t, vaeseq_u8, vaesmcq_u8, vdupq_n_u64, vgetq_lane_u64, vld4q_u32,
        vreinterpretq_u8_u16, vreinterpretq_u8_u64, vreinterpretq_u16_u32, vreinterpretq_u64_u8,
        vuzp2q_u8, vuzp2q_u16,
    },
    asm, is_aarch64_feature_detected,
};

/// Runs `work` compiled for the processor at hand.
#[inline(always)]
pub(in crate::arch) fn dispatch<W: WithCpu>(work: W) -> W::Output {
    if has_aes() {
        // SAFETY: the processor has AES.
        unsafe { run(work) }
    } else {
        work.run(Neon::<false>(()))
    }
}

/// Whether the processor has the instructions for AES, which not every 64-bit ARM has.
#[inline(always)]
pub(in crate::arch) fn has_aes() -> bool {
    is_aarch64_feature_detected!("aes")
}

#[target_feature(enable = "aes")]
fn run<W: WithCpu>(work: W) -> W::Output {
    work.run(Neon::<true>(()))
}

#[inline(never)]
#[target_feature(enable = "aes")]
fn run_outlined<W: WithCpu>(work: W) -> W::Output {
    work.run(Neon::<true>(()))
}

#[inline(never)]
fn run_outlined_without_aes<W: WithCpu>(work: W) -> W::Output {
    work.run(Neon::<false>(()))
}

/// A processor with NEON. A value with `AES` exists only within [`run`] and [`run_outlined`].
#[derive(Clone, Copy)]
struct Neon<const AES: bool>(());

impl<const AES: bool> Processor for Neon<AES> {
    #[inline(always)]
    fn classify(self, block: &[u8; 64]) -> Classes {
        classify::<Nibbles>(BlockBytes::load(block), |offset| block[offset % 64])
    }

    #[inline(always)]
    fn classify_words(self, words: [u64; 8]) -> Classes {
        let byte = |offset: usize| (words[offset / 8 % 8] >> (offset % 8 * 8)) as u8;
        classify::<Nibbles>(BlockBytes::from_words(words), byte)
    }

    #[inline(always)]
    fn signs(self, words: &[u32; 64]) -> u64 {
        let (sixteens, _) = words.as_chunks::<16>();
        // SAFETY: NEON is part of the target. Sixteen words are as long as the load, and aligned.
        let [a, b, c, d] = std::array::from_fn(|i| unsafe { vld4q_u32(sixteens[i].as_ptr()) });
        // The loads have interleaved the words as `BlockBytes` does bytes.
        BlockBytes([
            highest_bytes([a.0, b.0, c.0, d.0]),
            highest_bytes([a.1, b.1, c.1, d.1]),
            highest_bytes([a.2, b.2, c.2, d.2]),
            highest_bytes([a.3, b.3, c.3, d.3]),
        ])
        .bits()
    }

    #[inline(always)]
    fn cache_hash(self, key: u128) -> u64 {
        // SAFETY: a `Neon<true>` exists only if the processor has AES.
        if AES { unsafe { aes_hash(key) } } else { key_hash(key) }
    }

    #[inline(always)]
    fn prefetch<T>(self, soon: &T) {
        // SAFETY: the instruction changes nothing and cannot fail, so it does not count as an access to memory.
        unsafe {
            asm!(
                "prfm pldl1keep, [{soon}]",
                soon = in(reg) std::ptr::from_ref(soon),
                options(nomem, nostack, preserves_flags),
            );
        }
    }

    #[inline(always)]
    fn run_outlined<W: WithCpu>(self, work: W) -> W::Output {
        if AES {
            // SAFETY: a `Neon<true>` exists, so the processor has AES.
            unsafe { run_outlined(work) }
        } else {
            run_outlined_without_aes(work)
        }
    }
}

/// Three rounds of AES, as for AVX2. Not part of the trait's function, because only a function with the feature can
/// inline its instructions.
#[inline]
#[target_feature(enable = "aes")]
fn aes_hash(key: u128) -> u64 {
    // SAFETY: a key and a vector are both 16 bytes, of any value.
    let key = unsafe { std::mem::transmute::<u128, uint8x16_t>(key) };
    let round = vreinterpretq_u8_u64(vdupq_n_u64(0x9E37_79B9_7F4A_7C15));
    let mixed = vaesmcq_u8(vaeseq_u8(key, round));
    let mixed = vaesmcq_u8(vaeseq_u8(mixed, round));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vaesmcq_u8(vaeseq_u8(mixed, round))))
}

/// The highest bytes of sixteen words, in order.
#[inline(always)]
fn highest_bytes(words: [uint32x4_t; 4]) -> uint8x16_t {
    // SAFETY: NEON is part of the target.
    unsafe {
        let [a, b, c, d] = words.map(|words| vreinterpretq_u16_u32(words));
        vuzp2q_u8(vreinterpretq_u8_u16(vuzp2q_u16(a, b)), vreinterpretq_u8_u16(vuzp2q_u16(c, d)))
    }
}
