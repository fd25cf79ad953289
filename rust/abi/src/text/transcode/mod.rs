//! Transcoding to UTF-8 from the two representations of strings in V8: Latin-1 and UTF-16.
//!
//! V8 copies a string faster than it converts it to UTF-8, which it does unit by unit (see `src/ffi/deno.ts`).
//! The result here equals V8's: a lone surrogate becomes U+FFFD.

#[cfg(target_arch = "x86_64")]
mod avx512;

/// The most bytes of UTF-8 for one unit. A surrogate is half of four bytes, any other unit one to three.
pub(crate) const MOST_BYTES: usize = 3;

/// The features of the processor that the kernels use, or an empty text if only portable code runs.
pub(crate) fn cpu_features() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if avx512::is_available() {
        return avx512::FEATURES;
    }
    ""
}

/// Writes Latin-1 as UTF-8 to `out`, which has room for [`MOST_BYTES`] a unit, and returns its length.
pub(crate) fn latin1(units: &[u8], out: &mut [u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if avx512::is_available() {
        // SAFETY: the processor has the features that the function is compiled for.
        let (read, written) = unsafe { avx512::latin1(units, out) };
        return written + portable(&units[read..], &mut out[written..]);
    }
    portable(units, out)
}

/// Writes UTF-16, the lower byte first, as UTF-8 to `out`, which has room for [`MOST_BYTES`] a unit, and
/// returns its length.
pub(crate) fn utf16(units: &[[u8; 2]], out: &mut [u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if avx512::is_available() {
        // SAFETY: the processor has the features that the function is compiled for.
        let (read, written) = unsafe { avx512::utf16(units, out) };
        return written + portable(&units[read..], &mut out[written..]);
    }
    portable(units, out)
}

/// A unit of a string.
trait Unit: Copy {
    fn value(self) -> u16;
}

impl Unit for u8 {
    fn value(self) -> u16 {
        self.into()
    }
}

impl Unit for [u8; 2] {
    fn value(self) -> u16 {
        u16::from_le_bytes(self)
    }
}

/// The portable code: character by character, and ASCII in blocks that the compiler vectorises.
fn portable<U: Unit>(units: &[U], out: &mut [u8]) -> usize {
    const BLOCK: usize = 16;
    let (mut read, mut written) = (0, 0);
    while read < units.len() {
        if let Some(block) = units[read..].first_chunk::<BLOCK>()
            && block.iter().fold(0, |all, unit| all | unit.value()) < 0x80
        {
            for (byte, unit) in out[written..written + BLOCK].iter_mut().zip(block) {
                *byte = unit.value() as u8;
            }
            (read, written) = (read + BLOCK, written + BLOCK);
            continue;
        }
        let end = units.len().min(read + BLOCK);
        while read < end {
            let pair = [units[read].value(), units.get(read + 1).map_or(0, |unit| unit.value())];
            let (character, length) = first_character(pair);
            written += character.encode_utf8(&mut out[written..]).len();
            read += length;
        }
    }
    written
}

/// The character at the first of two units, and how many of them it takes.
#[inline(always)]
fn first_character([first, second]: [u16; 2]) -> (char, usize) {
    if let Some(character) = char::from_u32(first.into()) {
        return (character, 1);
    }
    match char::decode_utf16([first, second]).next() {
        Some(Ok(character)) => (character, 2),
        _ => (char::REPLACEMENT_CHARACTER, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, latin1, portable, utf16};
    use proptest::prelude::*;

    /// Runs of units of one kind each; surrogates alone and in pairs.
    fn units() -> impl Strategy<Value = Vec<u16>> {
        let run = |unit| prop::collection::vec(unit, 0..70);
        let run = prop_oneof![
            run((0u16..0x80).boxed()),
            run((0x80u16..0x800).boxed()),
            run((0x800u16..0xD800).boxed()),
            run((0xD800u16..0xE000).boxed()),
            run((0xE000u16..=0xFFFF).boxed()),
            run(prop_oneof![Just(0x7F), Just(0x80), Just(0x7FF), Just(0x800), Just(0xD83D)].boxed()),
            prop::collection::vec(0x1_0000u32..0x11_0000, 0..40).prop_map(|points| {
                let mut units = Vec::new();
                for character in points.into_iter().filter_map(char::from_u32) {
                    units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
                }
                units
            }),
        ];
        prop::collection::vec(run, 0..8).prop_map(|runs| runs.concat())
    }

    fn written(length: usize, write: impl FnOnce(&mut [u8]) -> usize) -> Vec<u8> {
        let mut out = vec![0xAA; MOST_BYTES * length];
        let written = write(&mut out);
        out.truncate(written);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn utf16_equals_the_standard_library(units in units()) {
            let bytes: Vec<[u8; 2]> = units.iter().map(|unit| unit.to_le_bytes()).collect();
            let expected = String::from_utf16_lossy(&units).into_bytes();
            prop_assert_eq!(&written(units.len(), |out| portable(&bytes, out)), &expected);
            prop_assert_eq!(&written(units.len(), |out| utf16(&bytes, out)), &expected);
        }

        #[test]
        fn latin1_equals_its_characters(units in prop::collection::vec(any::<u8>(), 0..300), ascii in 0usize..300) {
            let mut units = units;
            let ascii = ascii.min(units.len());
            units[..ascii].iter_mut().for_each(|unit| *unit &= 0x7F);
            let expected: String = units.iter().map(|&unit| char::from(unit)).collect();
            let expected = expected.into_bytes();
            prop_assert_eq!(&written(units.len(), |out| portable(&units, out)), &expected);
            prop_assert_eq!(&written(units.len(), |out| latin1(&units, out)), &expected);
        }
    }
}
