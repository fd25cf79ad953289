//! The clock that pools go by: monotonic milliseconds.

/// Milliseconds since some moment before the process began.
///
/// Linux has a coarse clock, which is read without a system call and without the hardware's
/// counter; it is at most a tick (1 to 10 ms) behind, and nothing in a pool is finer than that.
#[cfg(target_os = "linux")]
pub(crate) fn coarse_millis() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::MonotonicCoarse);
    now.tv_sec.cast_unsigned() * 1000 + now.tv_nsec.cast_unsigned() / 1_000_000
}

/// Milliseconds since the first call.
#[cfg(not(target_os = "linux"))]
pub(crate) fn coarse_millis() -> u64 {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_goes_forward_as_time_does() {
        let before = super::coarse_millis();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let passed = super::coarse_millis() - before;
        assert!((40..1000).contains(&passed), "{passed} ms");
    }
}
