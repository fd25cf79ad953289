//! By vectors of 32 bytes; and hashing by the rounds of AES.

mod outside_ascii;

use super::{Classes, Processor, Work};
use std::arch::x86_64::{
    __m128i, __m256i, _MM_HINT_T0, _mm_aesenc_si128, _mm_cvtsi128_si32, _mm_prefetch,
    _mm_set1_epi64x, _mm_testz_si128, _mm_xor_si128, _mm256_add_epi8, _mm256_cmpeq_epi8,
    _mm256_cmpgt_epi8, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_movemask_ps, _mm256_set_epi64x, _mm256_set1_epi8,
};
use std::sync::OnceLock;

/// With fewer bytes outside ASCII in a block, its characters are left to be told apart one by one
/// (`bench/record/2026-11-26-engine-tables.txt`, 24).
const MANY: u32 = 10;

/// Whether the processor has what [`run`] is compiled for.
#[inline(always)]
pub(super) fn is_available() -> bool {
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
pub(super) fn run(work: impl Work) {
    work.run(Avx2(()));
}

#[inline(never)]
#[target_feature(enable = "aes,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run_apart(work: impl Work) {
    work.run(Avx2(()));
}

/// Exists only within [`run`], so AVX2 and AES are there.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

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
        Halves(halves).classify(|place| block[place % 64])
    }

    #[inline(always)]
    fn classify_words(self, words: [u64; 8]) -> Classes {
        let [a, b, c, d, e, f, g, h] = words.map(u64::cast_signed);
        // SAFETY: an `Avx2` exists, so the processor has AVX2.
        let halves = unsafe { [_mm256_set_epi64x(d, c, b, a), _mm256_set_epi64x(h, g, f, e)] };
        Halves(halves).classify(|place| (words[place / 8 % 8] >> (place % 8 * 8)) as u8)
    }

    #[inline(always)]
    fn signs(self, words: &[u32; 64]) -> u64 {
        let eights = words.as_chunks::<8>().0.iter();
        eights.zip((0..64).step_by(8)).fold(0, |signs, (eight, place)| {
            // SAFETY: an `Avx2` exists, so the processor has AVX2, and eight words are 32 bytes; the
            // load needs no alignment.
            let eight = unsafe { _mm256_movemask_ps(_mm256_loadu_ps(eight.as_ptr().cast())) };
            signs | u64::from(eight.cast_unsigned()) << place
        })
    }

    /// In vector registers, where keys are, and where there is an instruction for it that compilers do not find.
    #[inline(always)]
    fn is_same(self, one: u128, other: u128, mask: u128) -> bool {
        // SAFETY: an `Avx2` exists, so the processor has SSE4.1. Words and vectors are both 16 bytes, of any value.
        unsafe {
            let [one, other, mask] =
                [one, other, mask].map(|word| std::mem::transmute::<u128, __m128i>(word));
            _mm_testz_si128(_mm_xor_si128(one, other), mask) != 0
        }
    }

    /// Three rounds of AES. The key is in a vector register, and they take less time than to take it apart for
    /// a multiplication. After two rounds the lower word would still have only 256 values for keys that differ
    /// in two bytes of one diagonal of the state.
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
    fn apart(self, work: impl Work) {
        // SAFETY: an `Avx2` exists, so the processor has what `run_apart` is compiled for.
        unsafe { run_apart(work) };
    }
}

/// The bytes of a block, or what was made of them. Exists only where an [`Avx2`] does.
#[derive(Clone, Copy)]
struct Halves([__m256i; 2]);

impl Halves {
    #[inline(always)]
    fn classify(self, byte: impl Fn(usize) -> u8) -> Classes {
        let line_end = self.equal(b'\r') | self.equal(b'\n');
        let high = self.bits();
        let mut classes = Classes {
            upper: self.within(b'A', b'Z'),
            lower: self.within(b'a', b'z'),
            digit: self.within(b'0', b'9'),
            space: self.equal(b' '),
            blank: self.within(b'\t', b'\r') & !line_end,
            line_end,
            apostrophe: self.equal(b'\''),
            slash: self.equal(b'/'),
            high,
            ..Classes::default()
        };
        if high == 0 {
            return classes;
        }
        let wide = self.within(0xE0, 0xFF);
        if wide != 0 {
            let late = self.equal(0xE0) & self.within(0x80, 0xB7) >> 1;
            classes.early = wide & !late;
        }
        if high.count_ones() < MANY { classes } else { outside_ascii::tell(classes, self, byte) }
    }

    /// A bit for every byte that is this one.
    #[inline(always)]
    fn equal(self, byte: u8) -> u64 {
        let Self([low, high]) = self;
        // SAFETY: `Halves` exist, so the processor has AVX2.
        let found = unsafe {
            let byte = _mm256_set1_epi8(byte.cast_signed());
            [_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte)]
        };
        Self(found).bits()
    }

    /// A bit for every byte in a range.
    #[inline(always)]
    fn within(self, first: u8, last: u8) -> u64 {
        let Self([low, high]) = self;
        // The first byte of the range moves to -128, so that one comparison is enough.
        let (shift, end) = (128u8.wrapping_sub(first), (last - first).wrapping_sub(127));
        // SAFETY: `Halves` exist, so the processor has AVX2.
        let found = unsafe {
            let shift = _mm256_set1_epi8(shift.cast_signed());
            let end = _mm256_set1_epi8(end.cast_signed());
            [
                _mm256_cmpgt_epi8(end, _mm256_add_epi8(low, shift)),
                _mm256_cmpgt_epi8(end, _mm256_add_epi8(high, shift)),
            ]
        };
        Self(found).bits()
    }

    /// The uppermost bit of every byte.
    #[inline(always)]
    fn bits(self) -> u64 {
        let Self([low, high]) = self;
        // SAFETY: `Halves` exist, so the processor has AVX2.
        let [low, high] = unsafe { [_mm256_movemask_epi8(low), _mm256_movemask_epi8(high)] };
        u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
    }
}
