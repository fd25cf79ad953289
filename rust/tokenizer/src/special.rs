//! Special tokens in text: finding them, and cutting text at them.
//!
//! Every name begins with `<|` and holds `|>` at its end only, so no name begins another and at
//! most one matches at a place. Names are therefore found by looking for `<|`, then for the `|>`
//! that closes it within the longest name's length; one search over the text costs O(n) whatever
//! the number of names.

use crate::encoding::Encoding;

/// How the text of a special token, like `<|endoftext|>`, is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Special {
    /// As any other text: what a user typed stays what a user typed.
    #[default]
    Text,
    /// As the special token.
    Allow,
    /// As a mistake: the call fails.
    Error,
}

/// A special token found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: &'static str,
    pub(crate) id: u32,
    /// Where the name begins, in bytes.
    pub(crate) at: usize,
}

/// The longest name is `<|reserved_200000|>` and its like.
const LONGEST: usize = 19;

/// The first special token of `encoding` at or after byte `from`.
pub(crate) fn find(encoding: Encoding, text: &[u8], from: usize) -> Option<Found> {
    let mut at = from;
    loop {
        at += text.get(at..)?.iter().position(|&byte| byte == b'<')?;
        if text.get(at + 1) == Some(&b'|')
            && let Some((name, id)) = name_at(encoding, &text[at..])
        {
            return Some(Found { name, id, at });
        }
        at += 1;
    }
}

fn name_at(encoding: Encoding, text: &[u8]) -> Option<(&'static str, u32)> {
    let window = &text[..text.len().min(LONGEST)];
    let close = window.windows(2).skip(2).position(|pair| pair == b"|>")?;
    let name = &window[..close + 4];
    let names = encoding.special_tokens();
    names.iter().find(|(known, _)| known.as_bytes() == name).copied()
}
