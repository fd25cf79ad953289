//! A constant slot, which stands for names that have no key yet in calls that only read.

use crate::limiter::MOST_LIMITS;
use crate::slots::slot::{HEADER_WORDS, STATE_WORDS, Slot, SlotWords};
use crate::sync::AtomicU64;

/// The slot of a key of which nothing is consumed or held, with the default limits. It is only
/// read.
pub(crate) fn empty_slot() -> Option<Slot<'static>> {
    static WORDS: [AtomicU64; HEADER_WORDS + STATE_WORDS * MOST_LIMITS] =
        [const { AtomicU64::new(0) }; HEADER_WORDS + STATE_WORDS * MOST_LIMITS];
    Slot::unlocked(SlotWords::new(&WORDS)?)
}
