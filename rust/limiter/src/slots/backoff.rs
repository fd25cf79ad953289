//! Exponential backoff for a thread that waits for a lock or for exclusive mode: spin, then yield,
//! then sleep.
//!
//! Locks are held for tens of nanoseconds, so a wait spins first. A longer wait is for a thread
//! that is not running, so the waiter yields. An even longer wait may itself keep the holder from
//! running: a real-time thread that yields is scheduled again at once, and a holder of lower
//! priority on the same processor never runs. So the waiter sleeps, longer each time, up to 1 ms.
//!
//! Why no futex: to wake a waiter, each unlock would have to check for waiters in one atomic step,
//! where it is a plain store now. All calls would pay for a rare event, and gain at most a
//! millisecond then.

use std::time::Duration;

use crate::sync::{SPINS, YIELDS, sleep, spin_loop, yield_now};

/// The first sleep; the system makes it slightly longer.
const SHORTEST: Duration = Duration::from_micros(31);
/// Doublings up to the longest sleep, 1 ms.
const DOUBLINGS: u32 = 5;

/// The number of times that a thread has paused.
#[derive(Default)]
pub(crate) struct Backoff(u32);

impl Backoff {
    /// Pauses once: a spin, a yield or a sleep.
    #[cold]
    pub(crate) fn pause(&mut self) {
        let waits = self.0;
        self.0 = waits.saturating_add(1);
        if waits < SPINS {
            spin_loop();
        } else if waits < SPINS + YIELDS {
            yield_now();
        } else {
            sleep(SHORTEST * (1 << (waits - SPINS - YIELDS).min(DOUBLINGS)));
        }
    }
}
