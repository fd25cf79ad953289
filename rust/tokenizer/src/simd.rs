//! Telling the classes of 64 bytes at once, with vector instructions where there are any.
//!
//! This is the only module with unsafe code. [`dispatch`] looks at the processor once per text
//! and runs the whole of the work compiled for it, so that the vector code is inlined; the
//! [`Portable`] twin does the same in safe Rust for every other processor.
#![allow(unsafe_code)]

use crate::utf8::is_wide;

/// A bit for every byte of a block of 64, in each of the classes that ASCII has. Where a block
/// has many characters outside ASCII, Cyrillic letters are among the upper and lower ones, with both
/// their bytes, `caseless` has the letters that Chinese, Japanese and Korean are written with, and
/// their punctuation and emoji are in no class, as ASCII's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    pub(crate) upper: u64,
    pub(crate) lower: u64,
    pub(crate) digit: u64,
    pub(crate) space: u64,
    /// White space that is neither a space nor a line end.
    pub(crate) blank: u64,
    pub(crate) line_end: u64,
    pub(crate) apostrophe: u64,
    pub(crate) slash: u64,
    pub(crate) caseless: u64,
    /// All bytes but the first of those characters.
    pub(crate) inner: u64,
    /// Bytes of all other characters outside ASCII.
    pub(crate) high: u64,
    /// The first bytes of characters of three and four bytes.
    pub(crate) wide: u64,
}

impl Classes {
    /// The masks without the first `count` bytes.
    #[inline(always)]
    pub(crate) fn after(self, count: u32) -> Self {
        Self {
            upper: self.upper >> count,
            lower: self.lower >> count,
            digit: self.digit >> count,
            space: self.space >> count,
            blank: self.blank >> count,
            line_end: self.line_end >> count,
            apostrophe: self.apostrophe >> count,
            slash: self.slash >> count,
            caseless: self.caseless >> count,
            inner: self.inner >> count,
            high: self.high >> count,
            wide: self.wide >> count,
        }
    }
}

/// What is asked of a block with many characters outside ASCII: a bit for every byte.
struct High {
    /// The first byte of U+0400 to U+043F.
    first_half: u64,
    /// The first byte of U+0440 to U+047F.
    second_half: u64,
    /// Bit 5 of the byte.
    bit_5: u64,
    /// Bit 4 of the byte.
    bit_4: u64,
}

/// With fewer bytes outside ASCII in a block, its characters are told apart one by one.
const MANY: u32 = 16;

impl Classes {
    /// Makes letters of what `high` says about bytes that are all in `self.high`. What is behind
    /// U+045F has upper and lower letters in turns and is left.
    #[inline(always)]
    fn with_cyrillic(self, high: High) -> Self {
        let (first, second) = (high.first_half << 1, high.second_half << 1);
        let upper = first & !(high.bit_5 & high.bit_4);
        let lower = first & high.bit_5 & high.bit_4 | second & !high.bit_5;
        let letters = upper | lower;
        Self {
            upper: self.upper | upper | upper >> 1,
            lower: self.lower | lower | lower >> 1,
            inner: self.inner | letters,
            high: self.high & !(letters | letters >> 1),
            ..self
        }
    }

    /// Makes letters and symbols of three bytes, and symbols of four, of what begins at these bits.
    #[inline(always)]
    fn with_wide(self, WideFirsts { letters, symbols, fours }: WideFirsts) -> Self {
        let letters = letters & u64::MAX >> 2;
        let symbols = symbols & u64::MAX >> 2;
        let fours = fours & u64::MAX >> 3;
        let second = letters | symbols | fours;
        let inner = second << 1 | second << 2 | fours << 3;
        Self {
            caseless: letters | letters << 1 | letters << 2,
            inner: self.inner | inner,
            high: self.high & !(second | inner),
            ..self
        }
    }
}

/// First bytes of characters of three and four bytes, the rest of which may be behind the block.
struct WideFirsts {
    /// Letters that Chinese, Japanese and Korean are written with.
    letters: u64,
    /// Their punctuation.
    symbols: u64,
    /// Emoji.
    fours: u64,
}

/// A way to classify a block.
pub(crate) trait Classify: Copy {
    fn classify(self, block: &[u8; 64]) -> Classes;

    /// The same for a block that was put together in registers. Through memory, a load that
    /// spans several fresh stores would have to wait for them.
    fn classify_words(self, words: [u64; 8]) -> Classes;

    /// Begins to load what will soon be read.
    #[inline(always)]
    fn prefetch<T>(self, _soon: &T) {}
}

/// Work to be done with the best [`Classify`] there is.
pub(crate) trait Work {
    fn run<C: Classify>(self, classify: C);
}

/// Runs `work` compiled for this processor.
#[inline(always)]
pub(crate) fn dispatch(work: impl Work) {
    #[cfg(target_arch = "x86_64")]
    if x86::is_available() {
        // SAFETY: the processor has all the features that `x86::run` is compiled for.
        return unsafe { x86::run(work) };
    }
    work.run(Portable);
}

/// Classifies byte by byte, by table.
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

impl Classify for Portable {
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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Classes, Classify, High, MANY, WideFirsts, Work};
    use std::arch::x86_64::{
        __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8,
        _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
        _mm256_set1_epi8, _mm256_slli_epi16,
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

    /// Exists only within [`run`], so AVX2 is there.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    impl Classify for Avx2 {
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
                let is =
                    |byte: u8| move |half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte as i8));
                // The first byte of a range moves to -128, so that one comparison is enough.
                let within = |first: u8, last: u8| {
                    let end = (last - first) as i8 - 127;
                    move |half| {
                        let moved = _mm256_add_epi8(
                            half,
                            _mm256_set1_epi8(128u8.wrapping_sub(first) as i8),
                        );
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
}

#[cfg(test)]
mod tests {
    use super::{Classes, Classify, Portable, Work, dispatch};
    use crate::unicode::{Class, class};

    struct Compare<'a>(&'a [u8; 64], &'a mut Classes);

    impl Work for Compare<'_> {
        fn run<C: Classify>(self, classify: C) {
            *self.1 = classify.classify(self.0);
            let words = self.0.as_chunks().0;
            let words = std::array::from_fn(|i| u64::from_le_bytes(words[i]));
            assert_eq!(classify.classify_words(words), *self.1);
        }
    }

    #[test]
    fn vectors_and_bytes_agree() {
        for first in 0..=255u8 {
            for step in [0u8, 1, 7, 31] {
                let block = std::array::from_fn(|i| first.wrapping_add(step.wrapping_mul(i as u8)));
                compare(&block);
            }
        }
        for first in 0x80..=0xFF {
            for second in 0x80..=0xBF {
                compare(&std::array::from_fn(|i| [first, second][i % 2]));
                compare(&std::array::from_fn(|i| [b'a', first, second][i % 3]));
            }
        }
    }

    #[test]
    fn wide_characters_are_what_unicode_says() {
        let mut known = 0;
        for character in ('\u{800}'..=char::MAX).filter(|&c| c < '\u{30000}') {
            let mut four = [0; 4];
            let bytes = character.encode_utf8(&mut four).as_bytes();
            for ahead in 0..bytes.len() {
                let block = std::array::from_fn(|i| bytes[(i + ahead) % bytes.len()]);
                compare(&block);
                let Classes { caseless, high, inner, wide, .. } = Portable.classify(&block);
                let whole = u64::MAX << ((bytes.len() - ahead) % bytes.len());
                let is_known = high.count_ones() < 8;
                known += u32::from(is_known);
                match (is_known, class(u32::from(character))) {
                    (true, Class::Letter) => assert_eq!((caseless | high) & whole, whole),
                    (true, Class::Other) => assert_eq!(caseless, 0),
                    (true, class) => panic!("{character:?} is {class:?}"),
                    (false, _) => assert_eq!((caseless, high, inner), (0, u64::MAX, 0)),
                }
                if is_known {
                    assert_eq!(inner & wide, 0, "{character:?}");
                    assert_eq!(inner | wide | high, u64::MAX, "{character:?}");
                }
            }
        }
        // Kana, punctuation, Han and Hangul; emoji.
        assert_eq!(known, 3 * (63 + 57 + 63 + 29 + 22 + 29 + 0x5200 + 0x2B80) + 4 * (0x1000 - 128));
    }

    #[test]
    fn cyrillic_letters_have_the_case_that_unicode_says() {
        for point in 0x80..0x800 {
            let mut two = [0; 2];
            let letter = char::from_u32(point).unwrap_or_default().encode_utf8(&mut two).as_bytes();
            let found = Portable.classify(&std::array::from_fn(|i| letter[i % 2]));
            let expected = match (point, class(point)) {
                (0x400..0x460, Class::Upper) => (u64::MAX, 0, 0),
                (0x400..0x460, Class::Lower) => (0, u64::MAX, 0),
                _ => (0, 0, u64::MAX),
            };
            assert_eq!((found.upper, found.lower, found.high), expected, "U+{point:04X}");
        }
    }

    fn compare(block: &[u8; 64]) {
        let mut found = Classes::default();
        dispatch(Compare(block, &mut found));
        assert_eq!(found, Portable.classify(block), "{block:?}");
    }
}
