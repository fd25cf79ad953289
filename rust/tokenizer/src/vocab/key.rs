//! Keys of pre-tokens and tokens of up to 15 bytes: the bytes themselves in one 128-bit word.

/// Pre-tokens of up to this many bytes have a [`Key`].
pub(crate) const KEY_BYTES: usize = 15;

/// Up to 15 bytes, padded with zeros, and their number in the last byte.
pub(crate) type Key = u128;
/// The bit of a key at which the length begins.
pub(crate) const LENGTH_BIT: u32 = 120;

/// By length, the mask of the first bytes of a sixteen-byte load.
pub(crate) const fn masks() -> [Key; 16] {
    let mut masks = [0; 16];
    let mut length = 1;
    while length < 16 {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
}

static MASKS: [Key; 16] = masks();

/// The first `length` bytes of a word, padded with zeros.
#[inline(always)]
pub(crate) fn first_bytes(word: u128, length: usize) -> u128 {
    match MASKS.get(length) {
        Some(mask) => word & mask,
        None => word,
    }
}

/// The key of the `length` bytes (at most 15) of `text` from `start` on.
#[inline(always)]
pub(crate) fn key(text: &[u8], start: usize, length: usize) -> Key {
    let length = length & 15;
    let loaded = match text[start..].first_chunk::<16>() {
        Some(sixteen) => u128::from_le_bytes(*sixteen),
        None => load_end(text, start),
    };
    first_bytes(loaded, length) | (length as u128) << LENGTH_BIT
}

/// Up to the last 15 bytes of `text`, from `start` on, padded with zeros.
#[inline]
pub(crate) fn load_end(text: &[u8], start: usize) -> u128 {
    if let Some(sixteen) = text.last_chunk::<16>() {
        return u128::from_le_bytes(*sixteen) >> (8 * (start + 16 - text.len()));
    }
    // Two overlapping loads of the same size cover all that is left.
    let rest = &text[start..];
    if let (Some(head), Some(tail)) = (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
        let tail = u128::from(u64::from_le_bytes(*tail)) << (8 * (rest.len() - 8));
        u128::from(u64::from_le_bytes(*head)) | tail
    } else if let (Some(head), Some(tail)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let tail = u128::from(u32::from_le_bytes(*tail)) << (8 * (rest.len() - 4));
        u128::from(u32::from_le_bytes(*head)) | tail
    } else {
        rest.iter().rev().fold(0, |bytes, &byte| bytes << 8 | u128::from(byte))
    }
}
