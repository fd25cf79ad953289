//! A sliding-window counter of recent results: a ring of buckets, for failure rates.

use crate::time::Millis;

/// The number of buckets in a window.
const BUCKETS: u64 = 10;

/// Results in the last [`BUCKETS`] buckets.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResultWindow {
    /// (successes, failures) by bucket number modulo [`BUCKETS`].
    buckets: [(u32, u32); BUCKETS as usize],
    /// The latest bucket number.
    latest: u64,
}

impl ResultWindow {
    /// Counts a result. O(1).
    pub(crate) fn add(&mut self, now: Millis, window: Millis, ok: bool) {
        let bucket = self.advance(now, window);
        let (oks, failures) = &mut self.buckets[bucket];
        let count = if ok { oks } else { failures };
        *count = count.saturating_add(1);
    }

    /// Successes and failures in the window. O(1).
    pub(crate) fn sums(&mut self, now: Millis, window: Millis) -> (u32, u32) {
        self.advance(now, window);
        self.buckets.iter().fold((0, 0), |(ok, failed), bucket| {
            (ok + bucket.0.min(1 << 27), failed + bucket.1.min(1 << 27))
        })
    }

    /// Clears buckets that are too old, and returns the index of the current one.
    fn advance(&mut self, now: Millis, window: Millis) -> usize {
        let bucket = now / (window / BUCKETS).max(1);
        for passed in (self.latest + 1..=bucket).rev().take(BUCKETS as usize) {
            self.buckets[(passed % BUCKETS) as usize] = (0, 0);
        }
        self.latest = self.latest.max(bucket);
        (self.latest % BUCKETS) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_window_equals_a_list(
            window in 1u64..5000,
            results in prop::collection::vec((0u64..2000, any::<bool>()), 1..200),
        ) {
            let mut fast = ResultWindow::default();
            let mut list = Vec::new();
            let mut now = 0;
            for (wait, ok) in results {
                now += wait;
                fast.add(now, window, ok);
                let bucket = |at: u64| at / (window / BUCKETS).max(1);
                list.push((bucket(now), ok));
                let recent = list.iter().filter(|(at, _)| at + BUCKETS > bucket(now));
                let oks = recent.clone().filter(|(_, ok)| *ok).count();
                let failures = recent.count() - oks;
                prop_assert_eq!(fast.sums(now, window), (oks as u32, failures as u32));
            }
        }
    }
}
