//! Results of late, as many as a failure rate is made of: a window that moves in steps.

use crate::Millis;

/// The window moves in this many steps.
const STEPS: u64 = 10;

/// Results within the last [`STEPS`] steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// (successes, failures) by step modulo [`STEPS`].
    steps: [(u32, u32); STEPS as usize],
    /// The latest step that was written.
    latest: u64,
}

impl Window {
    /// Counts a result. O(1).
    pub(crate) fn add(&mut self, now: Millis, window: Millis, ok: bool) {
        let step = self.turn(now, window);
        let (oks, failures) = &mut self.steps[step];
        let count = if ok { oks } else { failures };
        *count = count.saturating_add(1);
    }

    /// Successes and failures within the window. O(1).
    pub(crate) fn sums(&mut self, now: Millis, window: Millis) -> (u32, u32) {
        self.turn(now, window);
        self.steps.iter().fold((0, 0), |(ok, failed), step| {
            (ok + step.0.min(1 << 27), failed + step.1.min(1 << 27))
        })
    }

    /// Clears what is too old and returns the index of the step that it is now.
    fn turn(&mut self, now: Millis, window: Millis) -> usize {
        let step = now / (window / STEPS).max(1);
        for passed in (self.latest + 1..=step).rev().take(STEPS as usize) {
            self.steps[(passed % STEPS) as usize] = (0, 0);
        }
        self.latest = self.latest.max(step);
        (self.latest % STEPS) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_window_counts_what_a_list_would(
            window in 1u64..5000,
            steps in prop::collection::vec((0u64..2000, any::<bool>()), 1..200),
        ) {
            let mut fast = Window::default();
            let mut list = Vec::new();
            let mut now = 0;
            for (wait, ok) in steps {
                now += wait;
                fast.add(now, window, ok);
                let step = |at: u64| at / (window / STEPS).max(1);
                list.push((step(now), ok));
                let recent = list.iter().filter(|(at, _)| at + STEPS > step(now));
                let oks = recent.clone().filter(|(_, ok)| *ok).count();
                let failures = recent.count() - oks;
                prop_assert_eq!(fast.sums(now, window), (oks as u32, failures as u32));
            }
        }
    }
}
