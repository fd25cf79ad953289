//! By vectors of 32 bytes.

use super::{Classes, High, MANY, Processor, WideFirsts, Work};
use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
    _mm256_slli_epi16,
};
use std::sync::OnceLock;

/// Whether the processor has what [`run`] is compiled for.
#[inline(always)]
pub(super) fn is_available() -> bool {
    static IS_AVAILABLE: OnceLock<bool> = OnceLock::new();
    *IS_AVAILABLE.get_or_init(|| {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
    })
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn run(work: impl Work) {
    work.run(Avx2(()));
}

#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run_apart(work: impl Work) {
    work.run(Avx2(()));
}

/// Exists only within [`run`], so AVX2 is there.
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
        self.classify_halves(halves)
    }

    #[inline(always)]
    fn classify_words(self, words: [u64; 8]) -> Classes {
        let [a, b, c, d, e, f, g, h] = words.map(u64::cast_signed);
        // SAFETY: an `Avx2` exists, so the processor has AVX2.
        let halves = unsafe { [_mm256_set_epi64x(d, c, b, a), _mm256_set_epi64x(h, g, f, e)] };
        self.classify_halves(halves)
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

impl Avx2 {
    #[inline(always)]
    fn classify_halves(self, halves: [__m256i; 2]) -> Classes {
        let bits = |class: &dyn Fn(__m256i) -> __m256i| -> u64 {
            // SAFETY: an `Avx2` exists, so the processor has AVX2.
            let [low, high] =
                halves.map(|half| unsafe { _mm256_movemask_epi8(class(half)) as u32 });
            u64::from(low) | u64::from(high) << 32
        };
        // SAFETY: an `Avx2` exists, so the processor has AVX2.
        unsafe {
            let is = |byte: u8| move |half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte as i8));
            // The first byte of a range moves to -128, so that one comparison is enough.
            let within = |first: u8, last: u8| {
                let end = (last - first) as i8 - 127;
                move |half| {
                    let moved =
                        _mm256_add_epi8(half, _mm256_set1_epi8(128u8.wrapping_sub(first) as i8));
                    _mm256_cmpgt_epi8(_mm256_set1_epi8(end), moved)
                }
            };
            let either = |half| _mm256_or_si256(is(b'\r')(half), is(b'\n')(half));
            let line_end = bits(&either);
            let high = bits(&|half| half);
            let classes = Classes {
                upper: bits(&within(b'A', b'Z')),
                lower: bits(&within(b'a', b'z')),
                digit: bits(&within(b'0', b'9')),
                space: bits(&is(b' ')),
                blank: bits(&within(b'\t', b'\r')) & !line_end,
                line_end,
                apostrophe: bits(&is(b'\'')),
                slash: bits(&is(b'/')),
                caseless: 0,
                inner: 0,
                high,
                wide: if high == 0 { 0 } else { bits(&within(0xE0, 0xFF)) },
            };
            if high.count_ones() < MANY {
                return classes;
            }
            let (first_half, second_half) = (bits(&is(0xD0)), bits(&is(0xD1)));
            let classes = if first_half | second_half == 0 {
                classes
            } else {
                // The uppermost bit of each byte is asked, and no bit of another comes there.
                classes.with_cyrillic(High {
                    first_half,
                    second_half,
                    bit_5: bits(&|half| _mm256_slli_epi16::<2>(half)),
                    bit_4: bits(&|half| _mm256_slli_epi16::<3>(half)),
                })
            };
            if classes.wide == 0 {
                return classes;
            }
            let second_in = |first, last| bits(&within(first, last)) >> 1;
            // Han from U+5000 on, and Hangul from U+B000 to U+CFFF,
            let mut letters = bits(&within(0xE5, 0xE9)) | bits(&within(0xEB, 0xEC));
            // what comes before and after those,
            letters |= bits(&is(0xE4)) & second_in(0xB8, 0xBF);
            let (before, after) = (bits(&is(0xEA)), bits(&is(0xED)));
            if before | after != 0 {
                letters |= before & second_in(0xB0, 0xBF) | after & second_in(0x80, 0x9D);
            }
            // and kana, and the punctuation that comes before them,
            let (kana, mut symbols) = (bits(&is(0xE3)), 0);
            if kana != 0 {
                let third_in = |first, last| bits(&within(first, last)) >> 2;
                let second = |byte| kana & bits(&is(byte)) >> 1;
                symbols |= second(0x80) & (third_in(0x81, 0x84) | third_in(0x88, 0xA0));
                letters |= second(0x81) & third_in(0x81, 0xBF);
                letters |= second(0x82)
                    & (third_in(0x80, 0x96) | third_in(0x9D, 0x9F) | third_in(0xA1, 0xBF));
                letters |= second(0x83) & (third_in(0x80, 0xBA) | third_in(0xBC, 0xBF));
            }
            // or as wide as Han,
            let full_width = bits(&is(0xEF));
            if full_width != 0 {
                let third_in = |first, last| bits(&within(first, last)) >> 2;
                let second = full_width & bits(&is(0xBC)) >> 1;
                symbols |= second & (third_in(0x81, 0x8F) | third_in(0x9A, 0xA0));
            }
            // joiners and general punctuation,
            let general = bits(&is(0xE2));
            if general != 0 {
                symbols |= general & bits(&is(0x80)) >> 1 & bits(&within(0x8B, 0xA7)) >> 2;
            }
            // and all of U+1F000 to U+1FFFF but where there are numbers among it.
            let mut fours = bits(&is(0xF0));
            if fours != 0 {
                fours &= bits(&is(0x9F)) >> 1;
                fours &= !((bits(&is(0x84)) | bits(&is(0xAF))) >> 2);
            }
            classes.with_wide(WideFirsts { letters, symbols, fours })
        }
    }
}
