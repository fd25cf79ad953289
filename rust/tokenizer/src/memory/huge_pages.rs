//! Cache lines in an anonymous mapping that requests huge pages (Linux).
#![allow(unsafe_code)]

use super::units::{CacheLine, HUGE_PAGE};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::{
    ffi::c_void,
    ptr::{NonNull, null_mut},
    slice,
};

/// A fixed number of cache lines, initially zero, that begin at the boundary of a huge page.
///
/// Huge pages are requested before the first access; the kernel would have to copy pages that are in use already.
pub(crate) struct HugePages {
    /// Lines within the mapping, which `self` alone owns.
    lines: NonNull<CacheLine>,
    count: usize,
    mapping: NonNull<c_void>,
    mapped_bytes: usize,
}

// SAFETY: `HugePages` owns its memory, as a box does.
unsafe impl Send for HugePages {}

impl HugePages {
    /// Memory of `count` lines. `None` if `count` is 0, or if the system does not have that much.
    pub(crate) fn new(count: usize) -> Option<Self> {
        let bytes = count.checked_mul(size_of::<CacheLine>()).filter(|&bytes| bytes > 0)?;
        // Not every kernel aligns large mappings to huge pages, so the mapping has one more for the alignment. The
        // rest of it is never touched.
        let mapped_bytes = bytes.checked_add(HUGE_PAGE)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses an unused address.
        let mapping =
            unsafe { mmap_anonymous(null_mut(), mapped_bytes, access, MapFlags::PRIVATE) };
        let mapping = NonNull::new(mapping.ok()?)?;
        // Less than a huge page, so that all lines are within the mapping.
        let skipped = mapping.addr().get().wrapping_neg() % HUGE_PAGE;
        // SAFETY: the address is within the mapping.
        let begin = unsafe { mapping.byte_add(skipped) };
        // SAFETY: it is advice on the mapping just made. A kernel without huge pages refuses it, and the memory is
        // usable all the same.
        let _ = unsafe { madvise(begin.as_ptr(), bytes, Advice::LinuxHugepage) };
        Some(Self { lines: begin.cast(), count, mapping, mapped_bytes })
    }

    #[inline(always)]
    pub(crate) fn lines(&self) -> &[CacheLine] {
        // SAFETY: `count` lines exist as long as `self` does, aligned and initialised by the kernel, and only `self`
        // refers to them.
        unsafe { slice::from_raw_parts(self.lines.as_ptr(), self.count) }
    }

    #[inline(always)]
    pub(crate) fn lines_mut(&mut self) -> &mut [CacheLine] {
        // SAFETY: as in `lines`.
        unsafe { slice::from_raw_parts_mut(self.lines.as_ptr(), self.count) }
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        // SAFETY: it is the whole of a mapping that `self` owns, and no reference to it is left.
        let unmapped = unsafe { munmap(self.mapping.as_ptr(), self.mapped_bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}
