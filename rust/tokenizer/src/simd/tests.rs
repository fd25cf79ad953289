//! The vectors against the table, and both against Unicode.

use super::{Classes, Portable, Processor, Work, dispatch};
use crate::unicode::{Class, class};

struct Compare<'a>(&'a [u8; 64], &'a mut Classes);

impl Work for Compare<'_> {
    fn run<C: Processor>(self, processor: C) {
        *self.1 = processor.classify(self.0);
        let words = self.0.as_chunks().0;
        let words = std::array::from_fn(|i| u64::from_le_bytes(words[i]));
        assert_eq!(processor.classify_words(words), *self.1);
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
