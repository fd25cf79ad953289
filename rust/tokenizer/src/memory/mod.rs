//! Memory for tables of megabytes: cache lines of zeros, in huge pages where the system has them.
//!
//! A table that is probed at random pays a page fault for every 4 KiB at first, and later a walk of the page
//! tables for most of its probes. Huge pages of 2 MiB save nearly all of both. Where there are none, or the
//! system refuses, the safe twin [`Plain`] serves. `huge_pages` is the only file here with unsafe code.

#[cfg(target_os = "linux")]
mod huge_pages;
mod plain;
#[cfg(test)]
mod tests;

pub(crate) use plain::Plain;

use crate::lines::Line;
#[cfg(target_os = "linux")]
use huge_pages::HugePages;

/// The size of a huge page. Where the system's are larger, it gives ordinary ones.
pub(crate) const HUGE_PAGE: usize = 2 << 20;

/// Lines of a page of the smallest size.
const LINES_A_PAGE: usize = 4096 / size_of::<Line>();

/// A number of cache lines, which are zeros at first.
pub(crate) enum Memory {
    Plain(Plain),
    #[cfg(target_os = "linux")]
    Huge(HugePages),
}

impl Memory {
    /// Memory of `count` lines that may be large. None if the system has not so much.
    pub(crate) fn try_new(count: usize) -> Option<Self> {
        #[cfg(target_os = "linux")]
        if count >= HUGE_PAGE / size_of::<Line>()
            && let Some(pages) = HugePages::new(count)
        {
            return Some(Self::Huge(pages));
        }
        Plain::try_new(count).map(Self::Plain)
    }

    #[inline(always)]
    pub(crate) fn lines(&self) -> &[Line] {
        match self {
            Self::Plain(plain) => plain.lines(),
            #[cfg(target_os = "linux")]
            Self::Huge(pages) => pages.lines(),
        }
    }

    #[inline(always)]
    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        match self {
            Self::Plain(plain) => plain.lines_mut(),
            #[cfg(target_os = "linux")]
            Self::Huge(pages) => pages.lines_mut(),
        }
    }

    /// Writes to each page, so that nobody has to wait for the system later.
    pub(crate) fn populate(&mut self) {
        for line in self.lines_mut().iter_mut().step_by(LINES_A_PAGE) {
            *std::hint::black_box(line) = [0; 4];
        }
    }
}
