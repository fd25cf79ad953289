//! Zeroed memory for hash tables of megabytes, in huge pages where the system has them.
//!
//! A table with random accesses suffers a page fault for every 4 KiB at first, and later a TLB miss with a page walk
//! on most accesses. Huge pages of 2 MiB avoid nearly all of both. Where the system has none or refuses, the safe
//! twin [`HeapLines`] serves. Of these files, only `huge_pages` has unsafe code.

mod heap_lines;
#[cfg(target_os = "linux")]
mod huge_pages;
#[cfg(test)]
mod tests;
mod units;

pub(crate) use {
    heap_lines::HeapLines,
    units::{CacheLine, HUGE_PAGE},
};

#[cfg(target_os = "linux")]
use huge_pages::HugePages;

/// Cache lines of a page of the smallest size.
const LINES_PER_PAGE: usize = 4096 / size_of::<CacheLine>();

/// A fixed number of cache lines, initially zero.
pub(crate) enum Memory {
    Heap(HeapLines),
    #[cfg(target_os = "linux")]
    Huge(HugePages),
}

impl Memory {
    /// Memory of `count` lines, which may be large. `None` if the system does not have that much.
    pub(crate) fn try_new(count: usize) -> Option<Self> {
        #[cfg(target_os = "linux")]
        if count >= HUGE_PAGE / size_of::<CacheLine>()
            && let Some(pages) = HugePages::new(count)
        {
            return Some(Self::Huge(pages));
        }
        HeapLines::try_new(count).map(Self::Heap)
    }

    #[inline(always)]
    pub(crate) fn lines(&self) -> &[CacheLine] {
        match self {
            Self::Heap(lines) => lines.lines(),
            #[cfg(target_os = "linux")]
            Self::Huge(pages) => pages.lines(),
        }
    }

    #[inline(always)]
    pub(crate) fn lines_mut(&mut self) -> &mut [CacheLine] {
        match self {
            Self::Heap(lines) => lines.lines_mut(),
            #[cfg(target_os = "linux")]
            Self::Huge(pages) => pages.lines_mut(),
        }
    }

    /// Writes to each page, so that no later access faults.
    pub(crate) fn populate(&mut self) {
        for line in self.lines_mut().iter_mut().step_by(LINES_PER_PAGE) {
            *std::hint::black_box(line) = [0; 4];
        }
    }
}
