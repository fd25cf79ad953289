//! The kernel's clock, told between two looks at it by the processor's time-stamp counter.
//!
//! The kernel's `CLOCK_MONOTONIC` costs two and a half times what the counter does that it is read from,
//! as it waits until all that comes before is done. So a thread looks at it when its last look is
//! [`SPAN`] ticks old, and adds the ticks that went by. Only where the kernel says that its clock is this
//! counter: then it has seen that the counter goes on evenly and is in step on all processors. A counter
//! that jumps is wrong until the next look, and one whose rate changes is left until two looks agree.
//! Figures: `bench/record`, clock and units.

use std::arch::x86_64::_rdtsc;
use std::cell::Cell;
use std::sync::OnceLock;

/// Ticks between two looks: 1 ms at 2 GHz.
const SPAN: u64 = 1 << 21;
/// A look that took more ticks was interrupted, and does not say which moment it saw.
const LOOK: u64 = 1 << 10;
/// The bits of a rate below the nanosecond.
const FRACTION: u32 = 32;
/// Rates that differ by no more than a part of 2^10 agree: 1 µs in 1 ms. Twice what adjusting a clock does.
const AGREE: u32 = 10;

/// What a thread saw when it looked last.
#[derive(Clone, Copy)]
struct Last {
    ticks: u64,
    ns: u64,
    /// Nanoseconds a tick since the look before, times 2^[`FRACTION`].
    measured: u64,
    /// The same if it agrees with what was measured before, or else 0.
    rate: u64,
}

thread_local! {
    static LAST: Cell<Last> = const { Cell::new(Last { ticks: 0, ns: 0, measured: 0, rate: 0 }) };
}

/// What `kernel` shows, in nanoseconds, off by less than 2 µs (0.3 µs seen), and may go back by as much.
/// O(1).
#[inline(always)]
pub(crate) fn now(kernel: fn() -> u64) -> u64 {
    let last = LAST.get();
    let passed = ticks().wrapping_sub(last.ticks);
    if passed < SPAN && last.rate != 0 {
        last.ns + ((passed * last.rate) >> FRACTION)
    } else {
        look(last, kernel)
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
fn look(last: Last, kernel: fn() -> u64) -> u64 {
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
    // More than 4 ns a tick is no counter's rate, and would not fit when it is multiplied.
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

    /// The kernel's clock, and how many looks at it there were.
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    fn kernel() -> u64 {
        LOOKS.fetch_add(1, Ordering::Relaxed);
        monotonic()
    }

    fn monotonic() -> u64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        (time.tv_sec * 1_000_000_000 + time.tv_nsec).cast_unsigned()
    }

    /// Uses the counter until it is trusted; false where the kernel does not use it.
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

    /// Calls [`now`] `times`, each between two looks at the true clock, and says how far it was outside.
    fn farthest(times: u32, kernel: fn() -> u64, truth: fn() -> u64) -> u64 {
        let off = (0..times).map(|_| {
            let before = truth();
            let told = now(kernel);
            let after = truth();
            before.saturating_sub(told).max(told.saturating_sub(after))
        });
        off.max().unwrap_or(0)
    }

    #[test]
    fn the_counter_tells_the_kernels_time() {
        let trusted = trusted(kernel);
        LOOKS.store(0, Ordering::Relaxed);
        let off = farthest(2_000_000, kernel, monotonic);
        assert!(off <= 2_000, "{off} ns");
        for pause in [1, 3, 50, 200] {
            std::thread::sleep(Duration::from_millis(pause));
            let off = farthest(20_000, kernel, monotonic);
            assert!(off <= 2_000, "{off} ns after {pause} ms");
        }
        if trusted {
            let looks = LOOKS.load(Ordering::Relaxed);
            assert!(looks < 20_000, "it looked at the kernel's clock {looks} times");
        }
    }

    /// Two thirds as fast as the kernel's clock.
    fn slower() -> u64 {
        monotonic() / 3 * 2
    }

    #[test]
    fn a_counter_whose_rate_changes_is_left_until_two_looks_agree() {
        if !trusted(monotonic) {
            return;
        }
        // As after a move to a machine whose counter is faster: a span at most is told wrongly.
        while LAST.get().rate != 0 {
            now(slower);
        }
        // The first look compares with another clock, and the next with that.
        let off = farthest(1_000, slower, slower);
        assert!(off <= 1_000, "{off} ns while it is not trusted");
        assert!(trusted(slower));
        let off = farthest(1_000_000, slower, slower);
        assert!(off <= 2_000, "{off} ns");
    }
}
