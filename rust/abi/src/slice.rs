//! Pointers in, slices out: the one place where the ABI's raw parameters become Rust values.
//!
//! Every check that can be made is made here: null, alignment, wrap-around, and that an output
//! overlaps no input. What cannot be checked is the caller's contract: that the memory is there
//! and that no other thread writes to it during the call.

use std::mem::{align_of, size_of};

use crate::status::{Failure, SluiceStatus};

/// A borrowed input of `len` elements.
///
/// # Safety
/// Unless `len` is 0, `ptr` points to `len` readable elements that nobody writes for `'a`.
pub(crate) unsafe fn input<'a, T>(name: &str, ptr: *const T, len: u32) -> Result<&'a [T], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    check(name, ptr, len)?;
    // SAFETY: not null, aligned and not wrapping (checked above); readable and unshared by contract.
    Ok(unsafe { std::slice::from_raw_parts(ptr, len as usize) })
}

/// A borrowed output of `capacity` elements that overlaps none of `inputs`.
///
/// # Safety
/// Unless `capacity` is 0, `ptr` points to `capacity` initialised elements that nobody else reads
/// or writes for `'a`.
pub(crate) unsafe fn output<'a, T, I>(
    name: &str,
    ptr: *mut T,
    capacity: u32,
    input: &[I],
) -> Result<&'a mut [T], Failure> {
    if capacity == 0 {
        return Ok(&mut []);
    }
    check(name, ptr, capacity)?;
    let start = ptr as usize;
    let end = start + capacity as usize * size_of::<T>();
    let read = input.as_ptr_range();
    if start < read.end as usize && (read.start as usize) < end {
        return Err(Failure::argument(format!("{name} overlaps an input buffer")));
    }
    // SAFETY: not null, aligned, not wrapping and disjoint from the input (checked above);
    // initialised and exclusive by contract.
    Ok(unsafe { std::slice::from_raw_parts_mut(ptr, capacity as usize) })
}

/// A borrowed input that must be UTF-8.
///
/// # Safety
/// As [`input`].
pub(crate) unsafe fn text<'a>(name: &str, ptr: *const u8, len: u32) -> Result<&'a str, Failure> {
    // SAFETY: passed on from the caller.
    utf8(name, unsafe { input(name, ptr, len) }?)
}

/// `bytes` as text, or the offset of the first byte that is not UTF-8.
pub(crate) fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| {
        // The fast validator does not say where; the slow one does, and only failures pay for it.
        let at = std::str::from_utf8(bytes).err().map_or(0, |e| e.valid_up_to());
        Failure::new(
            SluiceStatus::InvalidUtf8,
            format!("{name} is not valid UTF-8: byte {at} starts no character"),
        )
    })
}

fn check<T>(name: &str, ptr: *const T, len: u32) -> Result<(), Failure> {
    if ptr.is_null() {
        return Err(Failure::argument(format!("{name} is a null pointer with length {len}")));
    }
    if !(ptr as usize).is_multiple_of(align_of::<T>()) {
        return Err(Failure::argument(format!(
            "{name} is not aligned to {} bytes",
            align_of::<T>()
        )));
    }
    let fits = (len as usize)
        .checked_mul(size_of::<T>())
        .filter(|&bytes| bytes <= isize::MAX as usize)
        .and_then(|bytes| (ptr as usize).checked_add(bytes));
    if fits.is_none() {
        return Err(Failure::argument(format!("{name} reaches past the end of memory")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_fine_only_when_empty() {
        // SAFETY: length 0 dereferences nothing; the null with a length is refused before any read.
        let (empty, null) = unsafe {
            (input::<u8>("text", std::ptr::null(), 0), input::<u8>("text", std::ptr::null(), 1))
        };
        assert_eq!(empty.expect("empty"), &[] as &[u8]);
        assert!(null.expect_err("null").message.contains("text is a null pointer"));
    }

    #[test]
    fn misaligned_and_overlapping_outputs_are_refused() {
        let mut words = [0u32; 8];
        let base = words.as_mut_ptr();
        let odd = base.cast::<u8>().wrapping_add(1).cast::<u32>();
        // SAFETY: refused before any dereference.
        let misaligned = unsafe { output("out", odd, 1, &[0u8; 0]) };
        assert!(misaligned.expect_err("odd").message.contains("aligned to 4"));
        // SAFETY: `words` outlives the call and is refused before it is borrowed twice.
        let overlapping = unsafe {
            let read = input("text", base.cast_const().cast::<u8>(), 8).expect("input");
            output("out", base.wrapping_add(1), 4, read).map(|_| ())
        };
        assert!(overlapping.expect_err("overlap").message.contains("overlaps"));
    }

    #[test]
    fn invalid_utf8_says_where() {
        let failure = utf8("text", b"ok\xff").expect_err("invalid");
        assert_eq!(failure.status, SluiceStatus::InvalidUtf8);
        assert!(failure.message.contains("byte 2"), "{}", failure.message);
    }
}
