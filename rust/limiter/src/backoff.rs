//! Exponential back-off: how a thread waits for another that holds a lock or is alone.
//!
//! What is waited for takes tens of nanoseconds, so a wait spins first. One that takes longer waits for
//! a thread that is not running, so it yields. One that takes longer still may itself be what keeps that
//! thread from running: a thread of a real-time priority that yields is the next to run again, and the
//! holder, of a lower priority on the same processor, never is. So it sleeps, longer each time, up to 1 ms.
//!
//! Sleeping instead of a futex: to wake somebody, each unlock would have to look whether anybody waits,
//! in one atomic step with the unlock, where it is a plain store now. All calls would pay for what
//! hardly ever happens, and gain at most a millisecond then.

use std::time::Duration;

use crate::sync::{SPINS, YIELDS, sleep, spin_loop, yield_now};

/// The first sleep; the system makes it a little longer.
const SHORTEST: Duration = Duration::from_micros(31);
/// The longest is so often twice as long: 1 ms.
const DOUBLINGS: u32 = 5;

/// How long a thread has waited.
#[derive(Default)]
pub(crate) struct Backoff(u32);

impl Backoff {
    /// Waits a little.
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
