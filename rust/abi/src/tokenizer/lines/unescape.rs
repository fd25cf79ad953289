//! Strings of JSON without their escapes: a bit mask of each 64 bytes tells where the runs between escapes end, and
//! runs are copied 64 bytes at a time, whatever their length.
//!
//! A lone surrogate becomes U+FFFD, as it does wherever JavaScript turns a string into UTF-8.

use std::collections::TryReserveError;

use super::scan::{WINDOW, window_specials};

/// The characters of the escapes of one letter, by that letter; 0 for other bytes.
const SIMPLE: [u8; 256] = {
    let mut simple = [0; 256];
    simple[b'"' as usize] = b'"';
    simple[b'\\' as usize] = b'\\';
    simple[b'/' as usize] = b'/';
    simple[b'b' as usize] = 8;
    simple[b'f' as usize] = 0xC;
    simple[b'n' as usize] = b'\n';
    simple[b'r' as usize] = b'\r';
    simple[b't' as usize] = b'\t';
    simple
};

/// What stands behind a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// A character, and how many bytes behind the backslash name it.
    Character { character: char, length: usize },
    /// One half of a surrogate pair without the other.
    LoneSurrogate,
}

impl Escape {
    /// The character, as it is in UTF-8.
    fn character(self) -> char {
        match self {
            Self::Character { character, .. } => character,
            Self::LoneSurrogate => char::REPLACEMENT_CHARACTER,
        }
    }

    /// The number of bytes behind the backslash.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Character { length, .. } => length,
            Self::LoneSurrogate => 5,
        }
    }
}

/// The escape whose backslash comes before `rest`. `None` if there is no such escape.
#[inline]
pub(super) fn escape(rest: &[u8]) -> Option<Escape> {
    match *rest.first()? {
        b'u' => unit_escape(rest),
        letter => match SIMPLE[usize::from(letter)] {
            0 => None,
            simple => Some(Escape::Character { character: char::from(simple), length: 1 }),
        },
    }
}

/// The escape of one UTF-16 unit, or of two if they are a pair.
fn unit_escape(rest: &[u8]) -> Option<Escape> {
    let unit = unit(rest)?;
    if let Some(character) = char::from_u32(unit) {
        return Some(Escape::Character { character, length: 5 });
    }
    let second = match rest.get(5..) {
        Some([b'\\', second @ ..]) if unit < 0xDC00 => self::unit(second),
        _ => None,
    };
    Some(match second {
        Some(second @ 0xDC00..0xE000) => {
            let point = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
            let character = char::from_u32(point)?;
            Escape::Character { character, length: 11 }
        }
        _ => Escape::LoneSurrogate,
    })
}

/// The unit of `uXXXX`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let [b'u', digits @ ..] = bytes.first_chunk::<5>()? else { return None };
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

/// A buffer of texts without their escapes, one after the other.
#[derive(Default)]
pub(super) struct Unescaped {
    /// Longer than what is used, so that whole runs can be written.
    bytes: Vec<u8>,
    used: usize,
}

/// How much longer: a copy writes up to this many bytes beyond its run.
const SLACK: usize = 2 * WINDOW;

/// A buffer that is larger is freed when it is cleared.
const KEPT: usize = 1 << 20;

impl Unescaped {
    /// Makes room for the texts of `length` bytes of JSON: no text is longer than its JSON.
    pub(super) fn reserve(&mut self, length: usize) -> Result<(), TryReserveError> {
        let needed = self.used + length + SLACK;
        if let Some(more) = needed.checked_sub(self.bytes.len()) {
            self.bytes.try_reserve(more)?;
            self.bytes.resize(needed, 0);
        }
        Ok(())
    }

    /// What was written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// The end of what was written.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Drops what was written from `used` on.
    pub(super) fn rewind(&mut self, used: usize) {
        self.used = used;
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.used = 0;
        if self.bytes.len() > KEPT {
            self.bytes = Vec::new();
        }
    }

    /// Appends `bytes`, for which there is room.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.used..][..bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
    }

    /// Appends the string that `json` begins with, without its escapes, and returns where it ends in `json`, its
    /// quotation mark included. The first `plain` bytes have nothing special. There is room for it.
    #[inline]
    pub(super) fn rest_of_string(&mut self, json: &[u8], plain: usize) -> Option<usize> {
        self.push(&json[..plain]);
        let (mut at, mut to) = (plain, self.used);
        let mut padded = [b' '; 2 * WINDOW];
        loop {
            let rest = json.get(at..).filter(|rest| !rest.is_empty())?;
            let source = match rest.first_chunk::<{ 2 * WINDOW }>() {
                Some(source) => source,
                None => {
                    padded[..rest.len()].copy_from_slice(rest);
                    padded[rest.len()..].fill(b' ');
                    &padded
                }
            };
            let mut specials = window_specials(source.first_chunk()?);
            // How many bytes of the window were read.
            let mut from = 0;
            while specials != 0 {
                let end = specials.trailing_zeros() as usize;
                copy_run(&source[from..], self.bytes.get_mut(to..)?)?;
                to += end - from;
                match source[end] {
                    b'\\' => {
                        let simple = SIMPLE[usize::from(source[end + 1])];
                        if simple != 0 {
                            *self.bytes.get_mut(to)? = simple;
                            to += 1;
                            from = end + 2;
                            specials &= !(3 << end);
                        } else {
                            let escape = escape(json.get(at + end + 1..)?)?;
                            let out = self.bytes.get_mut(to..)?.first_chunk_mut::<4>()?;
                            to += escape.character().encode_utf8(out).len();
                            from = end + 1 + escape.length();
                            specials &= u64::MAX.checked_shl(from as u32).unwrap_or(0);
                        }
                    }
                    b'"' => {
                        self.used = to;
                        return Some(at + end + 1);
                    }
                    _ => return None,
                }
            }
            if let Some(left) = WINDOW.checked_sub(from) {
                copy_run(&source[from..], self.bytes.get_mut(to..)?)?;
                to += left;
            }
            at += from.max(WINDOW);
        }
    }
}

/// Copies a run of at most 64 bytes, and what comes after it: a copy of one length needs no branch. `None` if there
/// are less than 64 bytes of source or room.
#[inline(always)]
fn copy_run(source: &[u8], out: &mut [u8]) -> Option<()> {
    *out.first_chunk_mut::<WINDOW>()? = *source.first_chunk::<WINDOW>()?;
    Some(())
}
