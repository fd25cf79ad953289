//! Safe cuts: offsets at which a text can be split without changing its tokens, and checks of UTF-8.

use sluice_tokenizer::{Encoding, Tokenizer};

use crate::seam::boundary::boundary;
use crate::seam::failure::count;
use crate::seam::slice;

/// The first window that is searched, in bytes. Prose has a safe cut every few bytes.
const FIRST_WINDOW: usize = 64;
/// The longest character, in bytes.
const LONGEST_CHARACTER: usize = 4;

/// Returns the last safe cut of a text at or after byte `from`, or 0 if there is none. O(`text_len` - `from`), and O(1)
/// where a cut is near the end.
///
/// At a safe cut, the tokens of the two parts together are the tokens of the text, in every encoding, whatever follows
/// the text, and whether or not special tokens are recognized. A text may end inside a character.
///
/// # Safety
/// `text` points to `text_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_text_cut(text: *const u8, text_len: u32, from: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice::input("text", text, text_len) }?;
        count(last_cut(bytes, from as usize).unwrap_or(0))
    })
}

/// Returns the length in bytes of the longest prefix of `text` that is valid UTF-8: `text_len`, or where the
/// first invalid character begins. O(`text_len`).
///
/// # Safety
/// `text` points to `text_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_text_valid(text: *const u8, text_len: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice::input("text", text, text_len) }?;
        count(slice::valid_prefix(bytes).len())
    })
}

/// The last safe cut at or after `from`, by a search in windows that double in size, from the end backwards.
///
/// Two neighbouring characters decide whether there is a cut between them, so a window is validated and searched alone.
fn last_cut(bytes: &[u8], from: usize) -> Option<usize> {
    let mut upper = bytes.len();
    let mut window = FIRST_WINDOW;
    while upper > from {
        let lower = upper.saturating_sub(window).max(from);
        let begin = character_before(bytes, lower);
        // The character that begins below `upper` may end above it.
        let end = bytes.len().min(upper + LONGEST_CHARACTER - 1);
        let text = slice::valid_prefix(&bytes[begin..end]);
        if let Some(at) = last_cut_within(text, lower - begin) {
            return Some(begin + at);
        }
        (upper, window) = (lower, 2 * window);
    }
    None
}

/// Where a character begins of which at least one ends at or before `at`, if `bytes` are valid.
fn character_before(bytes: &[u8], at: usize) -> usize {
    let nearest = at.saturating_sub(LONGEST_CHARACTER);
    (nearest..at).find(|&at| !is_continuation(bytes[at])).unwrap_or(at)
}

/// The last safe cut of `text` at or after `start`.
fn last_cut_within(text: &str, start: usize) -> Option<usize> {
    // No encoding has a rule of its own.
    let tokenizer = Tokenizer::get(Encoding::R50kBase);
    let mut last = None;
    let mut near = start;
    while let Some(at) = tokenizer.cut(text, near) {
        if !may_be_in_special_token(text.as_bytes()[at]) {
            last = Some(at);
        }
        near = at + 1;
    }
    last
}

/// Whether a special token, such as `<|fim_prefix|>`, may have a cut before this byte inside its name.
fn may_be_in_special_token(byte: u8) -> bool {
    matches!(byte, b'|' | b'_')
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sluice_tokenizer::SpecialTokenMode;

    use super::*;

    /// The same by trying every offset, from the end.
    fn naive(text: &str, from: usize) -> Option<usize> {
        let tokenizer = Tokenizer::get(Encoding::R50kBase);
        let is_cut = |at: usize| {
            text.is_char_boundary(at)
                && tokenizer.cut(text, at) == Some(at)
                && !may_be_in_special_token(text.as_bytes()[at])
        };
        (from.max(1)..text.len()).rev().find(|&at| is_cut(at))
    }

    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-z]{1,40}",
            "[0-9]{1,9}",
            "[ \n\r\t]{1,4}",
            "[.,;:'\"|_<>-]{1,3}",
            "[äöüß你好，。👋🏽\u{301}]{1,20}",
            Just("<|endoftext|>".to_owned()),
            Just("<|fim_prefix|>".to_owned()),
            Just("x".repeat(300)),
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn the_last_cut_is_that_of_a_naive_search(text in texts(), from in 0usize..400) {
            prop_assert_eq!(last_cut(text.as_bytes(), from), naive(&text, from));
        }

        #[test]
        fn tokens_of_the_parts_are_those_of_the_text(text in texts(), more in texts(), from in 0usize..400) {
            let Some(at) = last_cut(text.as_bytes(), from) else { return Ok(()) };
            let whole = text + &more;
            for encoding in Encoding::ALL {
                let tokenizer = Tokenizer::get(encoding);
                for special in [SpecialTokenMode::Text, SpecialTokenMode::Allow] {
                    let ids = |text: &str| tokenizer.encode(text, special).expect("allowed");
                    prop_assert_eq!([ids(&whole[..at]), ids(&whole[at..])].concat(), ids(&whole));
                }
            }
        }

        #[test]
        fn a_text_that_breaks_off_is_cut_as_far_as_it_is_valid(text in texts(), off in 0usize..8) {
            let end = text.len().saturating_sub(off);
            let valid = slice::valid_prefix(&text.as_bytes()[..end]);
            prop_assert_eq!(last_cut(&text.as_bytes()[..end], 0), naive(valid, 0));
        }
    }

    #[test]
    fn no_special_token_has_a_cut_inside() {
        for encoding in Encoding::ALL {
            for (name, _) in encoding.special_tokens() {
                assert_eq!(last_cut(name.as_bytes(), 0), None, "{name}");
            }
        }
    }
}
