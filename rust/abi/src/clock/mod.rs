//! Clocks of limiters and pools: the monotonic clock at two resolutions, the clock of shared limiters, and virtual
//! clocks for tests.
//!
//! A call reads its clock once. The precise clock is `CLOCK_MONOTONIC`, interpolated with the time-stamp counter to
//! within 2 µs (`ticks.rs`). The coarse clock is the same clock at the last tick of the kernel, every 1 to 4 ms. Both
//! have the same origin, and neither counts the time that a machine is suspended on Linux. The boot clock does
//! (`CLOCK_BOOTTIME`), because the store's leases of credit end meanwhile. Wall time is the monotonic
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
/// Clock: the monotonic clock at the last tick of the kernel.
pub const SLUICE_CLOCK_COARSE: u32 = 1;
/// Clock: the monotonic clock that also counts the time that the machine is suspended, for shared limiters. Any other
/// number is the handle of a virtual clock.
pub const SLUICE_CLOCK_BOOT: u32 = 2;
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
    Boot,
    Virtual(Arc<VirtualClock>),
}

impl Clock {
    pub(crate) fn resolve(clock: u32) -> Result<Self, Failure> {
        match clock {
            SLUICE_CLOCK_PRECISE => Ok(Self::Precise),
            SLUICE_CLOCK_COARSE => Ok(Self::Coarse),
            SLUICE_CLOCK_BOOT => Ok(Self::Boot),
            handle => CLOCKS.with(handle, |clock| Ok(Self::Virtual(clock.clone()))),
        }
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> Now {
        let ns = match self {
            Self::Precise => precise(),
            Self::Coarse => coarse(),
            Self::Boot | Self::Virtual(_) => return self.now_otherwise(),
        };
        Now { ns, wall_ns: WALL.at(ns, precise) }
    }

    /// [`Clock::now`] of the rarer clocks. Not inlined, to keep the others short.
    #[inline(never)]
    fn now_otherwise(&self) -> Now {
        if let Self::Virtual(clock) = self {
            return clock.now();
        }
        let ns = boot();
        Now { ns, wall_ns: BOOT_WALL.at(ns, boot) }
    }

    /// The book of reservations that is shared by all limiters with this clock.
    pub(crate) fn book(&self) -> Arc<Book> {
        static REAL: OnceLock<Arc<Book>> = OnceLock::new();
        static BOOT: OnceLock<Arc<Book>> = OnceLock::new();
        match self {
            Self::Precise | Self::Coarse => REAL.get_or_init(Arc::default).clone(),
            // Times of the two clocks cannot be compared after a suspend.
            Self::Boot => BOOT.get_or_init(Arc::default).clone(),
            Self::Virtual(clock) => clock.book.clone(),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Precise => "precise".to_owned(),
            Self::Coarse => "coarse".to_owned(),
            Self::Boot => "boot".to_owned(),
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

#[cfg(target_os = "linux")]
#[inline]
fn boot() -> u64 {
    monotonic(rustix::time::ClockId::Boottime)
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

/// [`boot`] of macOS: `mach_continuous_time` in nanoseconds, which `CLOCK_MONOTONIC_RAW` returns there.
#[cfg(target_os = "macos")]
fn boot() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a writable timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_RAW, &raw mut time) };
    (time.tv_sec * SECOND.cast_signed() + time.tv_nsec).cast_unsigned()
}

/// [`boot`] of other systems. On Windows `Instant` reads the performance counter, which goes on while the machine
/// sleeps. Elsewhere a suspended machine keeps its leases as long as it sleeps, and the store ends them.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn boot() -> u64 {
    precise()
}

/// The clock of pools: [`coarse`] in milliseconds, because nothing in a pool needs a finer resolution than a tick.
pub(crate) fn coarse_millis() -> u64 {
    coarse() / 1_000_000
}

/// The clock of pools that are shared with other processes: [`boot`] in milliseconds, because permits end for the store
/// while this machine is suspended.
pub(crate) fn boot_millis() -> u64 {
    boot() / 1_000_000
}

/// The distance from a monotonic clock to the wall clock, measured once a second.
struct Wall {
    distance: AtomicI64,
    next: AtomicU64,
}

/// From the precise and the coarse clock.
static WALL: Wall = Wall::new();
/// From the boot clock.
static BOOT_WALL: Wall = Wall::new();

impl Wall {
    const fn new() -> Self {
        Self { distance: AtomicI64::new(0), next: AtomicU64::new(0) }
    }

    /// Wall time at `ns` of the monotonic `clock`, in nanoseconds since 1970.
    #[inline]
    fn at(&self, ns: u64, clock: impl FnOnce() -> u64) -> i64 {
        if ns >= self.next.load(Ordering::Acquire) {
            self.distance.store(wall_clock() - clock().cast_signed(), Ordering::Relaxed);
            self.next.store(ns + SECOND, Ordering::Release);
        }
        self.distance.load(Ordering::Relaxed) + ns.cast_signed()
    }
}

#[cold]
fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Clock, boot};
    use std::sync::Arc;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_boot_clock_is_that_of_the_kernel() {
        use rustix::time::{ClockId, clock_gettime};
        let kernel = || {
            let time = clock_gettime(ClockId::Boottime);
            (time.tv_sec * 1_000_000_000 + time.tv_nsec).cast_unsigned()
        };
        let (before, ns, after) = (kernel(), boot(), kernel());
        assert!((before..=after).contains(&ns), "{ns} not in {before}..={after}");
    }

    #[test]
    fn the_boot_clock_shows_wall_time_and_has_a_book_of_its_own() {
        let [precise, boot] = [Clock::Precise, Clock::Boot].map(|clock| clock.now().wall_ns);
        assert!((boot - precise).abs() < 1_000_000_000, "{} ns apart", boot - precise);
        assert!(Arc::ptr_eq(&Clock::Boot.book(), &Clock::Boot.book()));
        assert!(!Arc::ptr_eq(&Clock::Boot.book(), &Clock::Precise.book()));
    }

    #[test]
    fn the_coarse_clock_advances_with_time() {
        let before = super::coarse_millis();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let passed = super::coarse_millis() - before;
        assert!((40..1000).contains(&passed), "{passed} ms");
    }
}
