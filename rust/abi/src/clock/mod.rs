//! Clocks of limiters and pools: the monotonic clock at two resolutions, and virtual clocks for tests.
//!
//! A call reads its clock once. The precise clock is `CLOCK_MONOTONIC`, interpolated with the time-stamp counter to
//! within 2 µs (`ticks.rs`). The coarse clock is the same clock at the last tick of the kernel, every 1 to 4 ms. Both
//! have the same origin, and neither counts the time that a machine is suspended on Linux. Wall time is the monotonic
//! clock plus an offset that is measured once a second, which is enough for quotas.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod ticks;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use sluice_limiter::{Book, Now};

use crate::seam::boundary::boundary;
use crate::seam::failure::Failure;
use crate::seam::objects::Objects;

/// Clock: the monotonic clock to within 2 µs.
pub const SLUICE_CLOCK_PRECISE: u32 = 0;
/// Clock: the monotonic clock at the last tick of the kernel. Any other number is the handle of a virtual clock.
pub const SLUICE_CLOCK_COARSE: u32 = 1;
/// The largest distance of a virtual clock's first time from 1970, in milliseconds: the years 1678 to 2261.
pub const SLUICE_MAX_WALL_MS: f64 = 9.2e12;
/// The longest step of a virtual clock, in milliseconds: 100 years.
pub const SLUICE_MAX_STEP_MS: f64 = 3.2e12;

const SECOND: u64 = 1_000_000_000;
/// Handles of virtual clocks are greater than the two constants, because generations begin at 1.
static CLOCKS: Objects<Arc<VirtualClock>> = Objects::new("clock");

/// A clock that a test advances.
pub(crate) struct VirtualClock {
    ns: AtomicU64,
    wall_ns: i64,
    book: Arc<Book>,
}

/// The clock of a limiter.
#[derive(Clone)]
pub(crate) enum Clock {
    Precise,
    Coarse,
    Virtual(Arc<VirtualClock>),
}

impl Clock {
    pub(crate) fn resolve(clock: u32) -> Result<Self, Failure> {
        match clock {
            SLUICE_CLOCK_PRECISE => Ok(Self::Precise),
            SLUICE_CLOCK_COARSE => Ok(Self::Coarse),
            handle => CLOCKS.with(handle, |clock| Ok(Self::Virtual(clock.clone()))),
        }
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> Now {
        let ns = match self {
            Self::Precise => precise(),
            Self::Coarse => coarse(),
            Self::Virtual(clock) => return clock.now(),
        };
        Now { ns, wall_ns: wall(ns) }
    }

    /// The book of reservations that is shared by all limiters with this clock.
    pub(crate) fn book(&self) -> Arc<Book> {
        static REAL: OnceLock<Arc<Book>> = OnceLock::new();
        match self {
            Self::Precise | Self::Coarse => REAL.get_or_init(Arc::default).clone(),
            Self::Virtual(clock) => clock.book.clone(),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Precise => "precise".to_owned(),
            Self::Coarse => "coarse".to_owned(),
            Self::Virtual(clock) => format!("virtual ({:p})", Arc::as_ptr(clock)),
        }
    }
}

impl VirtualClock {
    fn now(&self) -> Now {
        let ns = self.ns.load(Ordering::Acquire);
        let wall_ns = self.wall_ns.saturating_add(i64::try_from(ns).unwrap_or(i64::MAX));
        Now { ns, wall_ns }
    }
}

/// Opens a virtual clock that shows `wall_ms` milliseconds since 1970, and returns its handle. O(1).
///
/// Fails with `INVALID_ARGUMENT` if the distance from 1970 is more than `SLUICE_MAX_WALL_MS`, and with
/// `TOO_MANY_HANDLES`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_clock_open(wall_ms: f64) -> i32 {
    boundary(|| {
        if wall_ms.is_nan() || wall_ms.abs() > SLUICE_MAX_WALL_MS {
            return Err(Failure::argument(format!(
                "wall_ms is {wall_ms}, not within ±{SLUICE_MAX_WALL_MS}"
            )));
        }
        let wall_ns = (wall_ms * 1e6) as i64;
        CLOCKS.open(Arc::new(VirtualClock { ns: AtomicU64::new(0), wall_ns, book: Arc::default() }))
    })
}

/// Advances a virtual clock by `ms`, to the nanosecond. O(1).
///
/// Fails with `INVALID_ARGUMENT` if `ms` is negative or more than `SLUICE_MAX_STEP_MS`, and with `INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_clock_advance(clock: u32, ms: f64) -> i32 {
    boundary(|| {
        if !(0.0..=SLUICE_MAX_STEP_MS).contains(&ms) {
            return Err(Failure::argument(format!(
                "ms is {ms}, not from 0 to {SLUICE_MAX_STEP_MS}"
            )));
        }
        CLOCKS.with(clock, |clock| {
            clock.ns.fetch_add((ms * 1e6).round() as u64, Ordering::AcqRel);
            Ok(0)
        })
    })
}

/// Closes a virtual clock. Time stands still for limiters that use it. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_clock_close(clock: u32) -> i32 {
    boundary(|| CLOCKS.close(clock).map(|_| 0))
}

#[cfg(target_os = "linux")]
#[inline(always)]
fn precise() -> u64 {
    let kernel = || monotonic(rustix::time::ClockId::Monotonic);
    #[cfg(target_arch = "x86_64")]
    return ticks::now(kernel);
    #[cfg(not(target_arch = "x86_64"))]
    kernel()
}

#[cfg(target_os = "linux")]
#[inline]
fn coarse() -> u64 {
    monotonic(rustix::time::ClockId::MonotonicCoarse)
}

/// Nanoseconds since the machine started.
#[cfg(target_os = "linux")]
#[inline]
fn monotonic(clock: rustix::time::ClockId) -> u64 {
    let time = rustix::time::clock_gettime(clock);
    (time.tv_sec * SECOND.cast_signed() + time.tv_nsec).cast_unsigned()
}

/// Nanoseconds since the first use.
#[cfg(not(target_os = "linux"))]
fn precise() -> u64 {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let since = ORIGIN.get_or_init(std::time::Instant::now).elapsed();
    since.as_secs() * SECOND + u64::from(since.subsec_nanos())
}

#[cfg(not(target_os = "linux"))]
fn coarse() -> u64 {
    precise()
}

/// The clock of pools: [`coarse`] in milliseconds, because nothing in a pool needs a finer resolution than a tick.
pub(crate) fn coarse_millis() -> u64 {
    coarse() / 1_000_000
}

/// Wall time at the monotonic `ns`, in nanoseconds since 1970.
#[inline]
fn wall(ns: u64) -> i64 {
    static DISTANCE: AtomicI64 = AtomicI64::new(0);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if ns >= NEXT.load(Ordering::Acquire) {
        DISTANCE.store(wall_clock() - precise().cast_signed(), Ordering::Relaxed);
        NEXT.store(ns + SECOND, Ordering::Release);
    }
    DISTANCE.load(Ordering::Relaxed) + ns.cast_signed()
}

#[cold]
fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_coarse_clock_advances_with_time() {
        let before = super::coarse_millis();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let passed = super::coarse_millis() - before;
        assert!((40..1000).contains(&passed), "{passed} ms");
    }
}
