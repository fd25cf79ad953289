//! The units of memory: cache lines of 64 bytes, and huge pages.

/// Words of a cache line.
pub(crate) const WORDS: usize = 4;

/// A cache line as 128-bit words.
pub(crate) type CacheLine = [u128; WORDS];

/// The size of a huge page. A system whose huge pages are larger provides ordinary pages.
pub(crate) const HUGE_PAGE: usize = 2 << 20;
