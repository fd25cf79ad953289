//! A linear search for the names of special tokens.
//!
//! Every name begins with `<|` and contains `|>` at its end only. So no name is a prefix of another, and at most one
//! matches at an offset. The search finds `<|`, and then the `|>` that closes it within the length of the longest
//! name. It is O(n), whatever the number of names.

use super::encoding::Encoding;

/// How the name of a special token in a text, such as `<|endoftext|>`, is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpecialTokenMode {
    /// As ordinary text. Text from users stays text.
    #[default]
    Text,
    /// As the special token.
    Allow,
    /// As an error.
    Error,
}

/// A special token in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: &'static str,
    pub(crate) id: u32,
    /// The offset of the name, in bytes.
    pub(crate) at: usize,
}

/// The length of the longest name, such as `<|reserved_200000|>`.
const LONGEST: usize = 19;

/// The first special token of `encoding` in `text` at or after byte `from`. O(n).
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
