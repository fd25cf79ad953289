//! The upstreams of a pool and the choice among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::heap::Heap;
use crate::{Adaptive, Health, Limit, NONE, UpstreamSettings};

/// More than so many upstreams a pool does not have at a time.
pub(crate) const UPSTREAMS: usize = 1 << crate::lease::UPSTREAM_BITS;

/// Lowest tier first, then the least load, then who was used longest ago, then who came first.
type Rank = (u32, u64, u64, u64);

/// So many low bits of a birth are in a token.
const BIRTH_BITS: u32 = 31 - crate::lease::UPSTREAM_BITS;

/// Names an upstream to prefer: 12 bits of its index under 19 of its birth.
///
/// An index is used again once an upstream is gone. A token is not, until there were 2^19 others: one
/// that was kept for too long names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamToken(pub u32);

impl UpstreamToken {
    /// Names no upstream.
    pub(crate) const NONE: Self = Self(NONE);

    fn index(self) -> u32 {
        self.0 & (UPSTREAMS as u32 - 1)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) id: Arc<str>,
    /// The how-manieth of the pool it is.
    birth: u64,
    pub(crate) settings: UpstreamSettings,
    pub(crate) in_flight: u32,
    pub(crate) health: Health,
    pub(crate) limit: Limit,
    pub(crate) draining: bool,
    /// Taken out of the pool; its place is free once nothing is in flight.
    pub(crate) removed: bool,
    pub(crate) granted: u64,
    pub(crate) failed: u64,
    /// The pool's grant that used it last.
    last_used: u64,
}

impl Upstream {
    /// How many leases may be in use now.
    pub(crate) fn limit(&self, adaptive: Option<&Adaptive>) -> u32 {
        let max = self.settings.max_in_flight;
        if adaptive.is_some() { self.limit.get(max) } else { max }
    }

    fn is_ejected(&self) -> bool {
        !self.removed && self.health.is_ejected()
    }

    fn is_serving(&self) -> bool {
        !self.removed && !self.draining
    }

    fn has_room(&self, adaptive: Option<&Adaptive>) -> bool {
        self.is_serving() && self.health.is_open() && self.in_flight < self.limit(adaptive)
    }

    /// The load that one more lease would make. The bits of floats above 0 order as they do.
    fn rank(&self) -> Rank {
        let load = (f64::from(self.in_flight) + 1.0) / self.settings.weight;
        (self.settings.tier, load.to_bits(), self.last_used, self.birth)
    }
}

/// All upstreams; those with room are in a heap, so the best one is known in O(1).
#[derive(Clone, Debug)]
pub(crate) struct Upstreams {
    slab: Vec<Upstream>,
    free: Vec<u32>,
    by_id: BTreeMap<Arc<str>, u32>,
    open: Heap<Rank>,
    /// How many are there and ejected by failures.
    ejected: u32,
    /// How many are there and not draining.
    serving: u32,
    /// How many were ever added.
    births: u64,
    /// Grows when an index comes to mean another id.
    pub(crate) edition: u64,
}

impl Upstreams {
    pub(crate) fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            by_id: BTreeMap::new(),
            open: Heap::new(),
            ejected: 0,
            serving: 0,
            births: 0,
            edition: 1,
        }
    }

    /// Whether failures may eject one more: of those that serve no more than `share`. Who rests
    /// because it asked to is not ejected, and who drains serves nobody. O(1).
    pub(crate) fn may_eject(&self, share: f64) -> bool {
        f64::from(self.ejected) + 1.0 <= share * f64::from(self.serving)
    }

    /// Adds one; none if the id is taken or there are too many. O(log n).
    pub(crate) fn add(&mut self, id: &str, settings: UpstreamSettings) -> Option<u32> {
        if self.by_id.contains_key(id) || (self.free.is_empty() && self.slab.len() == UPSTREAMS) {
            return None;
        }
        let id: Arc<str> = id.into();
        let upstream = Upstream {
            id: Arc::clone(&id),
            birth: self.births,
            in_flight: 0,
            health: Health::new(),
            limit: Limit::new(settings.max_in_flight),
            settings,
            draining: false,
            removed: false,
            granted: 0,
            failed: 0,
            last_used: 0,
        };
        let index = self.free.pop().unwrap_or(self.slab.len() as u32);
        match self.slab.get_mut(index as usize) {
            Some(place) => *place = upstream,
            None => self.slab.push(upstream),
        }
        self.by_id.insert(id, index);
        self.births += 1;
        self.serving += 1;
        self.edition += 1;
        Some(index)
    }

    /// Takes one out of use. O(log n).
    pub(crate) fn remove(&mut self, index: u32) {
        self.change(index, |upstream| upstream.removed = true);
        self.by_id.remove(&self.slab[index as usize].id);
        self.open.remove(index);
        self.reclaim(index);
    }

    /// Frees the place of a removed upstream that nothing is in flight to.
    pub(crate) fn reclaim(&mut self, index: u32) {
        let upstream = &self.slab[index as usize];
        if upstream.removed && upstream.in_flight == 0 {
            self.free.push(index);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// The upstream of an index that is in use, removed or not.
    pub(crate) fn named(&self, index: u32) -> Option<&Upstream> {
        self.slab.get(index as usize).filter(|upstream| !upstream.removed || upstream.in_flight > 0)
    }

    pub(crate) fn get(&self, index: u32) -> &Upstream {
        &self.slab[index as usize]
    }

    /// Changes one in a way that may change its health or whether it serves. O(1).
    pub(crate) fn change<R>(&mut self, index: u32, f: impl FnOnce(&mut Upstream) -> R) -> R {
        let upstream = &mut self.slab[index as usize];
        self.ejected -= u32::from(upstream.is_ejected());
        self.serving -= u32::from(upstream.is_serving());
        let result = f(upstream);
        self.ejected += u32::from(upstream.is_ejected());
        self.serving += u32::from(upstream.is_serving());
        result
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Upstream)> {
        (0..).zip(&self.slab).filter(|(_, upstream)| !upstream.removed)
    }

    /// What names the upstream of an index for now.
    pub(crate) fn token(&self, index: u32) -> UpstreamToken {
        let birth = self.slab[index as usize].birth as u32 & ((1 << BIRTH_BITS) - 1);
        UpstreamToken(birth << crate::lease::UPSTREAM_BITS | index)
    }

    /// The one to use: `prefer` if it is there still and has room, else the best. O(1).
    pub(crate) fn choose(&self, prefer: UpstreamToken) -> Option<u32> {
        let index = prefer.index();
        if prefer != UpstreamToken::NONE && self.open.contains(index) && self.token(index) == prefer
        {
            return Some(index);
        }
        self.open.first().map(|(_, index)| index)
    }

    /// Counts a grant. O(log n).
    pub(crate) fn grant(&mut self, index: u32, grant: u64, adaptive: Option<&Adaptive>) -> bool {
        let upstream = &mut self.slab[index as usize];
        upstream.in_flight += 1;
        upstream.granted += 1;
        upstream.last_used = grant;
        let probe = upstream.health.grant();
        self.rank_again(index, adaptive);
        probe
    }

    /// Puts an upstream where it belongs after anything about it changed. O(log n).
    pub(crate) fn rank_again(&mut self, index: u32, adaptive: Option<&Adaptive>) {
        let upstream = &self.slab[index as usize];
        if upstream.has_room(adaptive) {
            self.open.set(index, upstream.rank());
        } else {
            self.open.remove(index);
        }
    }
}
