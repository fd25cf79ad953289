//! Windows: a block of text with enough bytes after it for loads that begin anywhere in it.

use crate::vocab::key::load_end;

/// The number of bytes of a window: a block, and the reach of a sixteen-byte load from its last byte.
pub(crate) const WINDOW: usize = 64 + 16;

/// The first bytes of `rest`, padded with zeros.
#[inline(always)]
pub(crate) fn zero_padded(rest: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    for (i, chunk) in window.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        *chunk = match rest.get(16 * i..) {
            None | Some([]) => break,
            Some(part) => match part.first_chunk() {
                Some(sixteen) => *sixteen,
                None => load_end(rest, 16 * i).to_le_bytes(),
            },
        };
    }
    window
}

/// The bytes of `rest`, at most 32, padded with zeros, as words in registers.
#[inline(always)]
pub(crate) fn zero_padded_words(rest: &[u8]) -> [u64; 8] {
    let first = rest.first_chunk().map_or_else(|| load_end(rest, 0), |s| u128::from_le_bytes(*s));
    let second = if rest.len() > 16 { load_end(rest, 16) } else { 0 };
    [first as u64, (first >> 64) as u64, second as u64, (second >> 64) as u64, 0, 0, 0, 0]
}
