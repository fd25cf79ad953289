//! A search for the bytes that end a run of ordinary characters in a JSON string: a quotation mark, a backslash, or
//! a control character.
//!
//! Sixteen bytes are examined at once: by SSE2, which every x86-64 processor has, by NEON on little-endian
//! arm64, else as two words.

/// How many bytes are examined at once.
const STEP: usize = 16;

/// The offset of the first byte from `at` on that is not ordinary, or the length of `bytes`.
#[inline(always)]
pub(super) fn special_from(bytes: &[u8], mut at: usize) -> usize {
    while let Some(step) = bytes.get(at..).and_then(<[u8]>::first_chunk::<STEP>) {
        let specials = specials(step);
        if specials != 0 {
            return at + specials.trailing_zeros() as usize;
        }
        at += STEP;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

/// Whether a byte ends a run.
#[inline(always)]
fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < b' '
}

/// How many bytes are examined at once where most of them are copied.
pub(super) const WINDOW: usize = 64;

/// A bit for each byte that is not ordinary.
#[inline(always)]
pub(super) fn window_specials(window: &[u8; WINDOW]) -> u64 {
    let (steps, _) = window.as_chunks::<STEP>();
    steps.iter().rev().fold(0, |bits, step| bits << STEP | u64::from(specials(step)))
}

/// A bit for each byte that is not ordinary.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn specials(step: &[u8; STEP]) -> u32 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    let bytes: __m128i = bytemuck::cast(*step);
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let escapes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        let any = _mm_or_si128(_mm_or_si128(quotes, escapes), controls);
        _mm_movemask_epi8(any).cast_unsigned()
    }
}

/// A bit for each byte that is not ordinary.
#[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
#[inline(always)]
fn specials(step: &[u8; STEP]) -> u32 {
    use std::arch::aarch64::{
        vandq_u8, vceqq_u8, vcltq_u8, vdupq_n_u8, vgetq_lane_u16, vld1q_u8, vorrq_u8, vpaddq_u8,
        vreinterpretq_u16_u8,
    };
    const BITS: [u8; STEP] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: NEON is part of the target, both arrays are as long as the loads, and the loads need no alignment.
    unsafe {
        let bytes = vld1q_u8(step.as_ptr());
        let quotes = vceqq_u8(bytes, vdupq_n_u8(b'"'));
        let escapes = vceqq_u8(bytes, vdupq_n_u8(b'\\'));
        let controls = vcltq_u8(bytes, vdupq_n_u8(b' '));
        let any = vorrq_u8(vorrq_u8(quotes, escapes), controls);
        // Three sums of neighbours add the eight different bits of each half.
        let bits = vandq_u8(any, vld1q_u8(BITS.as_ptr()));
        let bits = vpaddq_u8(bits, bits);
        let bits = vpaddq_u8(bits, bits);
        let bits = vpaddq_u8(bits, bits);
        vgetq_lane_u16::<0>(vreinterpretq_u16_u8(bits)).into()
    }
}

/// A bit for each byte that is not ordinary.
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
)))]
#[inline(always)]
fn specials(step: &[u8; STEP]) -> u32 {
    specials_by_words(step)
}

/// [`specials`] for every processor.
#[cfg(any(
    test,
    not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
    ))
))]
fn specials_by_words(step: &[u8; STEP]) -> u32 {
    step.chunks_exact(8).enumerate().fold(0, |bits, (i, word)| {
        let word = word.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        bits | word_specials(word) << (8 * i)
    })
}

#[cfg(any(
    test,
    not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
    ))
))]
fn word_specials(word: u64) -> u32 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is zero. The low seven bits are added apart, so that no carry crosses.
    let zeros = |word: u64| !(((word & !HIGH) + !HIGH) | word | !HIGH);
    let quotes = zeros(word ^ (ONES * u64::from(b'"')));
    let escapes = zeros(word ^ (ONES * u64::from(b'\\')));
    let controls = zeros(word & (ONES * 0xE0));
    // Gathers the high bits in the highest byte.
    (((quotes | escapes | controls) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_at_each_place_is_found_by_both() {
        for byte in 0..=255u8 {
            for place in 0..STEP {
                for around in [b'a', 0x80, 0xFF, b' ', b'!', b']', b'[', b'#'] {
                    let mut step = [around; STEP];
                    step[place] = byte;
                    let expected = u32::from(is_special(byte)) << place;
                    assert_eq!(specials(&step), expected, "{byte:#x} at {place}");
                    assert_eq!(specials_by_words(&step), expected, "{byte:#x} at {place}");
                }
            }
        }
        let mut window = [b'x'; WINDOW];
        for at in [0, 15, 16, 40, 63] {
            window[at] = b'"';
        }
        assert_eq!(window_specials(&window), 1 | 1 << 15 | 1 << 16 | 1 << 40 | 1 << 63);
        let all = *b"\"\\\0\x1F\"\"\\\\\n\t\r\"\x01\x02\x03\"";
        assert_eq!((specials(&all), specials_by_words(&all)), (0xFFFF, 0xFFFF));
    }

    #[test]
    fn the_first_one_is_found_in_any_length() {
        for length in 0..70 {
            let mut bytes = vec![b'x'; length];
            assert_eq!(special_from(&bytes, 0), length);
            for at in (0..length).rev() {
                bytes[at] = b'"';
                assert_eq!(special_from(&bytes, 0), at);
                assert_eq!(special_from(&bytes, at), at);
            }
        }
    }
}
