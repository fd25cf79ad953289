//! Characters outside ASCII, an alphabet at a time.
//!
//! A text has few alphabets, and all that the bytes of a character say, but for the last one and the lowest
//! bit of the one before, is the same for 128 of them: its [`Page`]. So the first character that is left
//! names a page, and all characters of that page are told apart at once. Han and Hangul have a hundred
//! pages, but are letters from end to end, and emoji are symbols.

use super::Halves;
use crate::{
    simd::{Classes, Told},
    unicode::{Page, page},
};
use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_alignr_epi8, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi16,
    _mm256_srli_epi16,
};

/// Tells apart what is in `classes.high` but characters of four bytes that are no emoji. `byte` gives the bytes
/// of the block.
#[inline(always)]
pub(super) fn tell(classes: Classes, halves: Halves, byte: impl Fn(usize) -> u8) -> Classes {
    let first = halves.within(0xC0, 0xFF);
    let wide = halves.within(0xE0, 0xFF);
    let mut of = Told::default();
    let mut left = first & !wide & u64::MAX >> 1;
    if wide != 0 {
        let fours = halves.within(0xF0, 0xFF);
        if fours != 0 {
            of.symbol = emoji(halves) & u64::MAX >> 3;
        }
        let three = wide & !fours & u64::MAX >> 2;
        if three & halves.within(0xE4, 0xED) != 0 {
            of.caseless = han_and_hangul(halves) & three;
        }
        left |= three & !of.caseless;
    }
    if left == 0 {
        return classes.with_firsts(of, first);
    }
    let parts = Parts::new(halves);
    // The page that can be asked for before the block has been looked at.
    let cyrillic = left & parts.even.equal(0xD0);
    if cyrillic != 0 {
        left &= !cyrillic;
        of.add(parts.codes(page(0xD0, 0), 1, cyrillic));
    }
    while left != 0 {
        let place = left.trailing_zeros() as usize;
        let (begin, second) = (byte(place), byte(place + 1));
        let is_three = begin >= 0xE0;
        let alike = left
            & if is_three {
                halves.equal(begin) & parts.even.equal(second & !1) >> 1
            } else {
                parts.even.equal(begin & !1)
            };
        left &= !alike;
        of.add(parts.codes(page(begin, second), 1 + u32::from(is_three), alike));
    }
    classes.with_firsts(of, first)
}

/// Where U+1F000 to U+1FFFF begin but where there are numbers among them.
#[inline(always)]
fn emoji(halves: Halves) -> u64 {
    let numbers = halves.equal(0x84) | halves.equal(0xAF);
    halves.equal(0xF0) & halves.equal(0x9F) >> 1 & !(numbers >> 2)
}

/// Where U+4E00 to U+9FFF and U+AC00 to U+D77F begin.
#[inline(always)]
fn han_and_hangul(halves: Halves) -> u64 {
    let letters = halves.within(0xE5, 0xE9) | halves.within(0xEB, 0xEC);
    let han = halves.equal(0xE4) & halves.within(0xB8, 0xBF) >> 1;
    let (first, last) = (halves.equal(0xEA), halves.equal(0xED));
    if first | last == 0 {
        return letters | han;
    }
    let first = first & halves.within(0xB0, 0xBF) >> 1;
    let last = last & halves.within(0x80, 0x9D) >> 1;
    letters | han | first | last
}

/// What look-ups in a [`Page`] need of each byte.
struct Parts {
    /// It without its lowest bit.
    even: Halves,
    /// Its lowest four bits.
    low: [__m256i; 2],
    /// One of eight bits, by the two above these and the lowest of the byte before.
    eighth: [__m256i; 2],
}

impl Parts {
    #[inline(always)]
    fn new(Halves([first, second]): Halves) -> Self {
        // SAFETY: `Halves` exist, so the processor has AVX2.
        unsafe {
            let (one, low) = (_mm256_set1_epi8(1), _mm256_set1_epi8(0x0F));
            let ahead = _mm256_permute2x128_si256::<0x08>(first, first);
            let middle = _mm256_permute2x128_si256::<0x21>(first, second);
            Self {
                even: Halves([_mm256_andnot_si256(one, first), _mm256_andnot_si256(one, second)]),
                low: [_mm256_and_si256(first, low), _mm256_and_si256(second, low)],
                eighth: [
                    eighth(first, _mm256_alignr_epi8::<15>(first, ahead)),
                    eighth(second, _mm256_alignr_epi8::<15>(second, middle)),
                ],
            }
        }
    }

    /// For the characters that begin at `firsts` and end `last` bytes behind, the three bits that the page has.
    #[inline(always)]
    fn codes(&self, page: &Page, last: u32, firsts: u64) -> [u64; 3] {
        let [a, b, c] = page;
        [
            self.members(a) >> last & firsts,
            self.members(b) >> last & firsts,
            self.members(c) >> last & firsts,
        ]
    }

    /// A bit for every byte whose eighth is set in what its lowest four bits look up.
    #[inline(always)]
    fn members(&self, sixteen: &[u8; 16]) -> u64 {
        let ([low, high], [eighth_low, eighth_high]) = (self.low, self.eighth);
        // SAFETY: `Halves` existed, so the processor has AVX2; sixteen bytes are there, and the load
        // needs no alignment.
        let found = unsafe {
            let sixteen = _mm256_broadcastsi128_si256(_mm_loadu_si128(sixteen.as_ptr().cast()));
            let low = _mm256_and_si256(_mm256_shuffle_epi8(sixteen, low), eighth_low);
            let high = _mm256_and_si256(_mm256_shuffle_epi8(sixteen, high), eighth_high);
            [_mm256_cmpeq_epi8(low, eighth_low), _mm256_cmpeq_epi8(high, eighth_high)]
        };
        Halves(found).bits()
    }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn eighth(half: __m256i, before: __m256i) -> __m256i {
    // SAFETY: as the caller's.
    unsafe {
        let eighths = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
        let two = _mm256_and_si256(_mm256_srli_epi16::<4>(half), _mm256_set1_epi8(3));
        let odd = _mm256_slli_epi16::<2>(_mm256_and_si256(before, _mm256_set1_epi8(1)));
        _mm256_shuffle_epi8(eighths, _mm256_or_si256(two, odd))
    }
}
