//! How many permits of each upstream a process wants: what is in flight, a few idle ones while the pool is in
//! use, and one for each waiter, spread over the upstreams by tier and weight.

use std::sync::Arc;

use crate::index::NONE;

/// An upstream as the plan sees it.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// Its index, or [`NONE`] for one that is removed.
    pub(crate) index: u32,
    pub(crate) id: Arc<str>,
    /// The permits that all processes may hold.
    pub(crate) cap: u32,
    pub(crate) tier: u32,
    pub(crate) weight: f64,
    /// Requests in flight, which cannot be given up.
    pub(crate) base: u32,
    /// Of those, requests to removed upstreams of the same id.
    pub(crate) removed: u32,
    /// The permits that it may keep using during the call.
    pub(crate) kept: u32,
    /// The most permits that it can use; no less than `base`.
    pub(crate) most: u32,
    /// How many idle permits it would like to hold.
    pub(crate) spare: u32,
    /// Whether one of `need` is for a probe.
    pub(crate) is_probe: bool,
    /// Permits for waiters; see [`spread`].
    pub(crate) need: u32,
}

impl Wish {
    /// Requests in flight to an upstream that is removed.
    pub(crate) fn removed(id: Arc<str>, in_flight: u32) -> Self {
        Self {
            index: NONE,
            id,
            cap: in_flight,
            tier: 0,
            weight: 1.0,
            base: in_flight,
            removed: in_flight,
            kept: in_flight,
            most: in_flight,
            spare: 0,
            is_probe: false,
            need: 0,
        }
    }

    /// The permits that it would like to hold when no caller waits.
    pub(crate) fn want(&self) -> u32 {
        self.base.saturating_add(self.spare).min(self.most)
    }

    /// What may be in use until the reply comes. Idle permits that are not wanted are given up.
    pub(crate) fn bind(&self) -> u32 {
        self.base.max(self.kept.min(self.want()))
    }

    fn room(&self) -> u32 {
        self.most.saturating_sub(self.bind()).saturating_sub(self.need)
    }

    /// Whether the store has to know of it.
    pub(crate) fn is_active(&self) -> bool {
        self.index == NONE || self.bind() > 0 || self.need > 0 || self.spare > 0
    }
}

/// The idle permits to hold beside `base` in use: a quarter, and at least one.
pub(crate) fn spare(base: u32) -> u32 {
    base.div_ceil(4).max(1)
}

/// Spreads waiters over upstreams that are in order of their tiers: each tier takes what it has room for,
/// by weight. O(upstreams).
pub(crate) fn spread(wishes: &mut [Wish], waiting: u32) {
    let mut left = waiting;
    let mut from = 0;
    while from < wishes.len() && left > 0 {
        let tier = wishes[from].tier;
        let length = wishes[from..].iter().take_while(|wish| wish.tier == tier).count();
        let group = &mut wishes[from..from + length];
        let mut weight: f64 = group.iter().filter(|w| w.room() > 0).map(|w| w.weight).sum();
        // By weight first; then what the small ones had no room for.
        for by_weight in [true, false] {
            for wish in group.iter_mut() {
                let room = wish.room();
                if room == 0 || left == 0 {
                    continue;
                }
                let part = if by_weight {
                    let part = (f64::from(left) * wish.weight / weight).ceil() as u32;
                    weight -= wish.weight;
                    part
                } else {
                    left
                };
                let given = part.max(1).min(room).min(left);
                wish.need += given;
                left -= given;
            }
        }
        from += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(tier: u32, weight: f64, base: u32, most: u32) -> Wish {
        Wish { index: 0, cap: most, tier, weight, most, kept: 0, ..Wish::removed("a".into(), base) }
    }

    fn needs(mut wishes: Vec<Wish>, waiting: u32) -> Vec<u32> {
        spread(&mut wishes, waiting);
        wishes.iter().map(|wish| wish.need).collect()
    }

    #[test]
    fn waiters_are_spread_by_tier_and_weight() {
        let two = || vec![wish(0, 2.0, 0, 100), wish(0, 1.0, 0, 100)];
        assert_eq!(needs(two(), 9), [6, 3]);
        assert_eq!(needs(two(), 1), [1, 0]);
        assert_eq!(needs(two(), 500), [100, 100], "no more than they can use");
        let tiers = vec![wish(0, 1.0, 3, 4), wish(1, 1.0, 0, 10), wish(2, 1.0, 0, 10)];
        assert_eq!(needs(tiers, 5), [1, 4, 0], "the next tier only when one is full");
        let small = vec![wish(0, 1.0, 0, 1), wish(0, 1.0, 0, 50)];
        assert_eq!(needs(small, 20), [1, 19]);
    }

    #[test]
    fn idle_permits_are_given_up_unless_they_are_wanted() {
        let wish = Wish { kept: 10, spare: 2, ..wish(0, 1.0, 4, 100) };
        assert_eq!((wish.want(), wish.bind()), (6, 6));
        assert_eq!(Wish { kept: 5, ..wish.clone() }.bind(), 5, "only what is held can be kept");
        assert_eq!(Wish { most: 4, ..wish }.bind(), 4);
        assert_eq!([spare(0), spare(4), spare(5)], [1, 1, 2]);
    }
}
