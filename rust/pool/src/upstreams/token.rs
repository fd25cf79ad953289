//! Tokens of upstreams: an index with a serial number, so a token of a removed upstream names nothing.

use crate::index::NONE;
use crate::lease::UPSTREAM_BITS;

/// The most upstreams of a pool at a time.
pub(crate) const MAX_UPSTREAMS: usize = 1 << UPSTREAM_BITS;

/// The low bits of a serial number that a token has.
const SERIAL_BITS: u32 = 31 - UPSTREAM_BITS;

/// Names an upstream to prefer: 12 bits of index, below 19 bits of serial number.
///
/// An index is reused once its upstream is gone. A token is reused only after 2^19 other upstreams, so
/// one that was kept for too long names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamToken(pub u32);

impl UpstreamToken {
    /// Names no upstream.
    pub(crate) const NONE: Self = Self(NONE);

    /// The token of the upstream at `index` that was added as the `serial`-th.
    pub(crate) fn new(index: u32, serial: u64) -> Self {
        let serial = serial as u32 & ((1 << SERIAL_BITS) - 1);
        Self(serial << UPSTREAM_BITS | index)
    }

    pub(crate) fn index(self) -> u32 {
        self.0 & (MAX_UPSTREAMS as u32 - 1)
    }
}
