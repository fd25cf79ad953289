//! Places where a text can be cut without changing its tokens.
//!
//! Two neighbouring characters are enough to know that the splitter breaks between them, whatever
//! surrounds them and whether or not the text ends there:
//!
//! - any other character before white space, where only a line end may still belong to the
//!   punctuation before it;
//! - a letter or number before punctuation, but not before an apostrophe, which may begin a
//!   contraction, and not before a mark, which may belong to the word;
//! - a letter before a number, and a number before a letter.
//!
//! What is left of such a place does not end in white space, so that the patterns' look-ahead at
//! the end of the text has nothing to decide there.

use crate::unicode::{Class, class_at};

/// The first place at or after `near` where `text` can be cut.
pub(crate) fn cut(text: &str, near: usize) -> Option<usize> {
    let near = (near..text.len()).find(|&at| text.is_char_boundary(at))?;
    let mut before = text[..near].chars().next_back();
    let bytes = text.as_bytes();
    for (at, char) in text[near..].char_indices() {
        if let Some(before) = before
            && splits(class_of(before), char, class_at(bytes, near + at).0)
        {
            return Some(near + at);
        }
        before = Some(char);
    }
    None
}

fn class_of(char: char) -> Class {
    crate::unicode::class(u32::from(char))
}

fn splits(before: Class, char: char, class: Class) -> bool {
    match class {
        Class::Space => !before.is_space(),
        Class::LineEnd => before.is_letter() || before == Class::Number,
        Class::Other => (before.is_letter() || before == Class::Number) && char != '\'',
        Class::Number => before.is_letter(),
        class => class.is_letter() && before == Class::Number,
    }
}
