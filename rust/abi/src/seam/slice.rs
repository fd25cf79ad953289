//! Conversion of the ABI's raw pointers to slices, with every check that is possible.
//!
//! Checked are null, alignment, wrap-around, and that an output overlaps no input. That the memory exists, and
//! that no other thread writes to it during the call, is the caller's contract.

use std::mem::{align_of, size_of};

use crate::seam::failure::Failure;

/// A borrowed input of `len` elements.
///
/// # Safety
/// Unless `len` is 0, `ptr` points to `len` readable elements that no thread writes during `'a`.
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
/// Unless `capacity` is 0, `ptr` points to `capacity` initialised elements that no other code
/// reads or writes during `'a`.
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

/// `bytes` as text. Fails with the offset of the first invalid character.
pub(crate) fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    simdutf8::basic::from_utf8(bytes)
        .map_err(|_| Failure::invalid_utf8(name, valid_prefix(bytes).len()))
}

/// The longest prefix of `bytes` that is valid UTF-8. O(length).
pub(crate) fn valid_prefix(bytes: &[u8]) -> &str {
    // The fast validator does not tell the offset. Only invalid text pays for the slow one.
    simdutf8::basic::from_utf8(bytes).unwrap_or_else(|_| match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    })
}

/// Copies as much of `result` as `out` has room for.
#[inline]
pub(crate) fn write<T: Copy>(result: &[T], out: &mut [T]) {
    let fits = result.len().min(out.len());
    out[..fits].copy_from_slice(&result[..fits]);
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
    use crate::seam::failure::SluiceErrorDetail;
    use crate::seam::status::SluiceStatus;

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
    fn invalid_utf8_has_an_offset() {
        let failure = utf8("text", b"ok\xff").expect_err("invalid");
        assert_eq!(failure.status, SluiceStatus::InvalidUtf8);
        assert_eq!(failure.message, "text is not valid UTF-8");
        assert_eq!(failure.numbers()[SluiceErrorDetail::ByteOffset as usize], 2.0);
        assert_eq!(valid_prefix(b"ok\xff"), "ok");
        assert_eq!(valid_prefix("né\u{1F44B}".as_bytes()), "né\u{1F44B}");
        assert_eq!(valid_prefix(&"né\u{1F44B}".as_bytes()[..5]), "né");
    }
}
