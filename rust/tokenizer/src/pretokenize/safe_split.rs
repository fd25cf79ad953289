//! Safe splits: offsets where a text can be split so that the tokens of the parts are those of the whole.
//!
//! Two neighbouring characters suffice to prove that every pattern splits between them, whatever surrounds them and
//! whether or not the text ends there:
//!
//! - any other character before white space, except that a line end may belong to punctuation before it;
//! - a letter or number before punctuation, except before an apostrophe, which may begin a contraction, and before a
//!   mark, which may belong to the word;
//! - a letter before a number, and a number before a letter.
//!
//! The part on the left never ends in white space, so the look-ahead of the patterns at the end of a text does not
//! matter there.

use crate::unicode::{Class, class, class_at};

/// The first safe split of `text` at or after `near`, and before its end. O(distance to the split).
pub(crate) fn safe_split(text: &str, near: usize) -> Option<usize> {
    let near = (near..text.len()).find(|&at| text.is_char_boundary(at))?;
    let mut before = text[..near].chars().next_back();
    let bytes = text.as_bytes();
    for (at, char) in text[near..].char_indices() {
        if let Some(before) = before
            && is_safe(class(u32::from(before)), char, class_at(bytes, near + at).0)
        {
            return Some(near + at);
        }
        before = Some(char);
    }
    None
}

/// Whether a text can be split between a character of class `before` and the character `char` of class `class`.
fn is_safe(before: Class, char: char, class: Class) -> bool {
    match class {
        Class::Space => !before.is_space(),
        Class::LineEnd => before.is_letter() || before == Class::Number,
        Class::Other => (before.is_letter() || before == Class::Number) && char != '\'',
        Class::Number => before.is_letter(),
        class => class.is_letter() && before == Class::Number,
    }
}
