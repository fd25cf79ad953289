//! Calls of the ABI that take a slice instead of a pointer and a length.

use sluice::tokenizer::{sluice_tokenizer_count, sluice_tokenizer_open};

pub(crate) fn open(name: &str) -> i32 {
    // SAFETY: pointer and length come from a live string.
    unsafe { sluice_tokenizer_open(name.as_ptr(), name.len() as u32) }
}

pub(crate) fn count(handle: u32, text: &[u8], special: u32) -> i32 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_tokenizer_count(handle, text.as_ptr(), text.len() as u32, special) }
}
