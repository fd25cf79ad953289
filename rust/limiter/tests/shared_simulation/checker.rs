//! The checker: the peak of a leaky queue of what was truly admitted.
//!
//! If a queue that leaks at rate R never has more than B, no span of time W has admitted more than
//! `B + R * W`, and the other way round.

/// What was admitted of one limit of one key, in true time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Vec<(u64, u64)>);

impl Log {
    pub(crate) fn push(&mut self, at_ns: u64, amount: u64) {
        if amount > 0 {
            self.0.push((at_ns, amount));
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|&(_, amount)| amount).sum()
    }

    /// The peak of a queue that leaks `units` each `ns`, and when it was.
    pub(crate) fn peak(&self, units: u64, ns: u64) -> (f64, u64) {
        let mut log = self.0.clone();
        log.sort_unstable();
        let (mut level, mut last, mut peak) = (0.0f64, 0, (0.0, 0));
        for (at, amount) in log {
            level = (level - (at - last) as f64 * units as f64 / ns as f64).max(0.0);
            level += amount as f64;
            last = at;
            if level > peak.0 {
                peak = (level, at);
            }
        }
        peak
    }

    /// The most that was admitted in one of the windows of this length, and in which.
    pub(crate) fn busiest_window(&self, ns: u64) -> (u64, u64) {
        let mut log = self.0.clone();
        log.sort_unstable();
        let (mut sum, mut window, mut most) = (0, 0, (0, 0));
        for (at, amount) in log {
            if at / ns != window {
                (sum, window) = (0, at / ns);
            }
            sum += amount;
            if sum > most.0 {
                most = (sum, window);
            }
        }
        most
    }
}

#[test]
fn the_checker_sees_what_is_over() {
    let mut log = Log::default();
    // 10 at once and one each second: a bucket of 10 and 1 a second.
    log.push(0, 10);
    for second in 1..=20 {
        log.push(second * 1_000, 1);
    }
    assert_eq!(log.peak(1, 1_000).0, 10.0);
    log.push(20_000, 1);
    assert_eq!(log.peak(1, 1_000), (11.0, 20_000));
    assert_eq!(log.busiest_window(10_000), (19, 0));
    assert_eq!(log.total(), 31);
}
