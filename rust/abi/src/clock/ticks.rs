//! Interpolation of the kernel's monotonic clock with the processor's time-stamp counter (TSC).
//!
//! Reading `CLOCK_MONOTONIC` costs two and a half times as much as reading the counter, because the kernel's read is
//! ordered after all earlier instructions. So a thread samples the kernel's clock when its last sample is [`SPAN`]
//! ticks old, and adds the ticks since then. It does so only if the kernel's own clock source is the counter, because
//! then the kernel has verified that its rate is constant and that all processors agree. A counter that jumps gives
//! wrong times until the next sample. A counter whose rate changes is not used until two samples agree. Figures:
//! `bench/record`, clock and units.
//!
//! This is for x86-64 only. On arm64, reads of the generic timer (`cntvct_el0`) may be executed early, so Linux orders
//! them by an `isb`, and by other means for processors whose timer has errata. Nothing here can show that a read without
//! them is right, or that one with them is faster. So `CLOCK_MONOTONIC` is read each time there.

use std::arch::x86_64::_rdtsc;
use std::cell::Cell;
use std::sync::OnceLock;

/// Ticks between two samples: 1 ms at 2 GHz.
const SPAN: u64 = 1 << 21;
/// A sample that took more ticks was interrupted, so its moment is not known well enough.
const LOOK: u64 = 1 << 10;
/// Fractional bits of a rate, which is in nanoseconds a tick.
const FRACTION: u32 = 32;
/// Two rates agree if they differ by at most one part in 2^10, 1 µs in 1 ms. Adjusting a clock changes half as much.
const AGREE: u32 = 10;

/// The last sample of a thread.
#[derive(Clone, Copy)]
struct Last {
    ticks: u64,
    ns: u64,
    /// Nanoseconds a tick since the sample before, times 2^[`FRACTION`].
    measured: u64,
    /// The same if it agrees with the rate that was measured before, or 0.
    rate: u64,
}

thread_local! {
    static LAST: Cell<Last> = const { Cell::new(Last { ticks: 0, ns: 0, measured: 0, rate: 0 }) };
}

/// The time of `kernel` in nanoseconds. It is off by less than 2 µs (0.3 µs was measured), and may go back by as much.
/// O(1).
#[inline(always)]
pub(crate) fn now(kernel: fn() -> u64) -> u64 {
    let last = LAST.get();
    let passed = ticks().wrapping_sub(last.ticks);
    if passed < SPAN && last.rate != 0 {
        last.ns + ((passed * last.rate) >> FRACTION)
    } else {
        sample(last, kernel)
    }
}

#[inline(always)]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction. A process can be forbidden to use it
    // (`PR_SET_TSC`), but then the kernel's clock, which uses it too, would end that process as well.
    unsafe { _rdtsc() }
}

#[cold]
#[inline(never)]
fn sample(last: Last, kernel: fn() -> u64) -> u64 {
    if !is_the_kernels() {
        return kernel();
    }
    let before = ticks();
    let ns = kernel();
    let took = ticks().wrapping_sub(before);
    let ticks = before.wrapping_add(took / 2);
    let passed = ticks.wrapping_sub(last.ticks);
    if took > LOOK || passed < SPAN {
        return ns;
    }
    let measured = u128::from(ns.wrapping_sub(last.ns)) << FRACTION;
    // No counter takes more than 4 ns a tick, and a larger rate would overflow the multiplication.
    let measured = u64::try_from(measured / u128::from(passed)).unwrap_or(0);
    let measured = if measured >> (FRACTION + 2) == 0 { measured } else { 0 };
    let agree = measured.abs_diff(last.measured) <= last.measured >> AGREE;
    let rate = if agree { measured } else { 0 };
    LAST.set(Last { ticks, ns, measured, rate });
    ns
}

/// Whether the kernel's own clock is the counter.
fn is_the_kernels() -> bool {
    static KERNELS: OnceLock<bool> = OnceLock::new();
    *KERNELS.get_or_init(|| {
        let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        std::fs::read_to_string(source).is_ok_and(|source| source.trim() == "tsc")
    })
}

#[cfg(test)]
mod tests {
    use super::{LAST, is_the_kernels, now};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// The kernel's clock, and how often it was read.
    static READS: AtomicU64 = AtomicU64::new(0);
    fn kernel() -> u64 {
        READS.fetch_add(1, Ordering::Relaxed);
        monotonic()
    }

    fn monotonic() -> u64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        (time.tv_sec * 1_000_000_000 + time.tv_nsec).cast_unsigned()
    }

    /// Uses the counter until it is trusted. False if the kernel does not use it.
    fn trusted(kernel: fn() -> u64) -> bool {
        let end = monotonic() + 10_000_000_000;
        while is_the_kernels() && monotonic() < end {
            now(kernel);
            if LAST.get().rate != 0 {
                return true;
            }
        }
        assert!(!is_the_kernels(), "the counter is not trusted after 10 s");
        false
    }

    /// Calls [`now`] `times`, each between two reads of the true clock, and returns the largest distance outside.
    fn farthest(times: u32, kernel: fn() -> u64, truth: fn() -> u64) -> u64 {
        let off = (0..times).map(|_| {
            let before = truth();
            let time = now(kernel);
            let after = truth();
            before.saturating_sub(time).max(time.saturating_sub(after))
        });
        off.max().unwrap_or(0)
    }

    #[test]
    fn the_counter_agrees_with_the_kernels_clock() {
        let trusted = trusted(kernel);
        READS.store(0, Ordering::Relaxed);
        let off = farthest(2_000_000, kernel, monotonic);
        assert!(off <= 2_000, "{off} ns");
        for pause in [1, 3, 50, 200] {
            std::thread::sleep(Duration::from_millis(pause));
            let off = farthest(20_000, kernel, monotonic);
            assert!(off <= 2_000, "{off} ns after {pause} ms");
        }
        if trusted {
            let reads = READS.load(Ordering::Relaxed);
            assert!(reads < 20_000, "the kernel's clock was read {reads} times");
        }
    }

    /// Two thirds as fast as the kernel's clock.
    fn slower() -> u64 {
        monotonic() / 3 * 2
    }

    #[test]
    fn a_counter_whose_rate_changes_is_unused_until_two_samples_agree() {
        if !trusted(monotonic) {
            return;
        }
        // This is like a move to a machine whose counter is faster. Times are wrong for at most one span.
        while LAST.get().rate != 0 {
            now(slower);
        }
        // The first sample is compared with the other clock, and the next one with the first.
        let off = farthest(1_000, slower, slower);
        assert!(off <= 1_000, "{off} ns while it is not trusted");
        assert!(trusted(slower));
        let off = farthest(1_000_000, slower, slower);
        assert!(off <= 2_000, "{off} ns");
    }
}
