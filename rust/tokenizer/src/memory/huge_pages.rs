//! Cache lines in an anonymous mapping that asks for huge pages (Linux).
#![allow(unsafe_code)]

use super::HUGE_PAGE;
use crate::lines::Line;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::{
    ffi::c_void,
    ptr::{NonNull, null_mut},
    slice,
};

/// A number of cache lines, which are zeros at first. They begin at the boundary of a huge page.
///
/// The kernel is asked for huge pages before the first touch: what has been touched it would have to move.
pub(crate) struct HugePages {
    /// Lines within the mapping, which nobody else has.
    lines: NonNull<Line>,
    count: usize,
    mapping: NonNull<c_void>,
    mapped_bytes: usize,
}

// SAFETY: it owns its memory, as a box does.
unsafe impl Send for HugePages {}

impl HugePages {
    /// Memory of `count` lines; none if there are none, or the system has not so much.
    pub(crate) fn new(count: usize) -> Option<Self> {
        let bytes = count.checked_mul(size_of::<Line>()).filter(|&bytes| bytes > 0)?;
        // Not every kernel aligns large mappings to huge pages, so there is one more to begin within. What is
        // left over is never touched.
        let mapped_bytes = bytes.checked_add(HUGE_PAGE)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses a place where nothing is.
        let mapping =
            unsafe { mmap_anonymous(null_mut(), mapped_bytes, access, MapFlags::PRIVATE) };
        let mapping = NonNull::new(mapping.ok()?)?;
        // Less than a huge page, so that all lines are within.
        let skipped = mapping.addr().get().wrapping_neg() % HUGE_PAGE;
        // SAFETY: the place is within the mapping.
        let begin = unsafe { mapping.byte_add(skipped) };
        // SAFETY: it is advice on the mapping just made. A kernel without huge pages refuses it, and the memory
        // is as good.
        let _ = unsafe { madvise(begin.as_ptr(), bytes, Advice::LinuxHugepage) };
        Some(Self { lines: begin.cast(), count, mapping, mapped_bytes })
    }

    #[inline(always)]
    pub(crate) fn lines(&self) -> &[Line] {
        // SAFETY: so many lines are there as long as `self` is, aligned and initialised by the kernel, and only
        // `self` leads to them.
        unsafe { slice::from_raw_parts(self.lines.as_ptr(), self.count) }
    }

    #[inline(always)]
    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        // SAFETY: as in `lines`.
        unsafe { slice::from_raw_parts_mut(self.lines.as_ptr(), self.count) }
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        // SAFETY: it is the whole of a mapping of its own, to which nothing leads any more.
        let unmapped = unsafe { munmap(self.mapping.as_ptr(), self.mapped_bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}
