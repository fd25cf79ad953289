//! Upstreams, and their selection by weighted least outstanding requests: an indexed heap of those
//! with room.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::indexed_heap::IndexedHeap;
use crate::settings::{Adaptive, UpstreamSettings};
use crate::upstreams::adaptive_limit::AdaptiveLimit;
use crate::upstreams::health::Health;
use crate::upstreams::token::{MAX_UPSTREAMS, UpstreamToken};

/// The order of selection: lowest tier, then least load for the weight, then least recently used,
/// then first added.
type Rank = (u32, u64, u64, u64);

#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) id: Arc<str>,
    /// The number of this upstream in the pool.
    serial: u64,
    pub(crate) settings: UpstreamSettings,
    /// The most leases in use in this process: the configured limit, or less if processes share it.
    pub(crate) ceiling: u32,
    pub(crate) in_flight: u32,
    pub(crate) health: Health,
    pub(crate) limit: AdaptiveLimit,
    pub(crate) draining: bool,
    /// Removed from the pool; its index is free once nothing is in flight.
    pub(crate) removed: bool,
    pub(crate) granted: u64,
    pub(crate) failed: u64,
    /// The last grant of the pool that used it.
    last_used: u64,
}

impl Upstream {
    /// The current limit of leases in use.
    pub(crate) fn limit(&self, adaptive: Option<&Adaptive>) -> u32 {
        if adaptive.is_some() { self.limit.get(self.ceiling) } else { self.ceiling }
    }

    fn is_ejected(&self) -> bool {
        !self.removed && self.health.is_ejected()
    }

    pub(crate) fn is_serving(&self) -> bool {
        !self.removed && !self.draining
    }

    fn has_room(&self, adaptive: Option<&Adaptive>) -> bool {
        self.is_serving() && self.health.is_available() && self.in_flight < self.limit(adaptive)
    }

    /// The rank with one more lease. The bit patterns of positive floats order as the floats do.
    fn rank(&self) -> Rank {
        let load = (f64::from(self.in_flight) + 1.0) / self.settings.weight;
        (self.settings.tier, load.to_bits(), self.last_used, self.serial)
    }
}

/// All upstreams. Those with room are in a heap, so the best is found in O(1).
#[derive(Clone, Debug)]
pub(crate) struct Upstreams {
    slab: Vec<Upstream>,
    free: Vec<u32>,
    by_id: BTreeMap<Arc<str>, u32>,
    available: IndexedHeap<Rank>,
    /// Upstreams that are ejected by failures and not removed.
    ejected: u32,
    /// Upstreams that are neither draining nor removed.
    serving: u32,
    /// Upstreams that were ever added.
    added: u64,
    /// Grows when an index is given another id.
    pub(crate) names_version: u64,
}

impl Upstreams {
    pub(crate) fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            by_id: BTreeMap::new(),
            available: IndexedHeap::new(),
            ejected: 0,
            serving: 0,
            added: 0,
            names_version: 1,
        }
    }

    /// Whether failures may eject one more upstream: at most `share` of those that serve. Upstreams
    /// that rest because they asked to are not ejected, and draining ones do not serve. O(1).
    pub(crate) fn may_eject(&self, share: f64) -> bool {
        f64::from(self.ejected) + 1.0 <= share * f64::from(self.serving)
    }

    /// Adds an upstream; none if the id exists or there are too many. O(log n).
    pub(crate) fn add(&mut self, id: &str, settings: UpstreamSettings) -> Option<u32> {
        if self.by_id.contains_key(id) || (self.free.is_empty() && self.slab.len() == MAX_UPSTREAMS)
        {
            return None;
        }
        let id: Arc<str> = id.into();
        let upstream = Upstream {
            id: Arc::clone(&id),
            serial: self.added,
            in_flight: 0,
            health: Health::new(),
            limit: AdaptiveLimit::new(settings.max_in_flight),
            ceiling: settings.max_in_flight,
            settings,
            draining: false,
            removed: false,
            granted: 0,
            failed: 0,
            last_used: 0,
        };
        let index = self.free.pop().unwrap_or(self.slab.len() as u32);
        match self.slab.get_mut(index as usize) {
            Some(entry) => *entry = upstream,
            None => self.slab.push(upstream),
        }
        self.by_id.insert(id, index);
        self.added += 1;
        self.serving += 1;
        self.names_version += 1;
        Some(index)
    }

    /// Removes an upstream. O(log n).
    pub(crate) fn remove(&mut self, index: u32) {
        self.change(index, |upstream| upstream.removed = true);
        self.by_id.remove(&self.slab[index as usize].id);
        self.available.remove(index);
        self.reclaim(index);
    }

    /// Frees the index of a removed upstream once nothing is in flight.
    pub(crate) fn reclaim(&mut self, index: u32) {
        let upstream = &self.slab[index as usize];
        if upstream.removed && upstream.in_flight == 0 {
            self.free.push(index);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// The upstream at an index, even a removed one while its leases are in use.
    pub(crate) fn named(&self, index: u32) -> Option<&Upstream> {
        self.slab.get(index as usize).filter(|upstream| !upstream.removed || upstream.in_flight > 0)
    }

    pub(crate) fn get(&self, index: u32) -> &Upstream {
        &self.slab[index as usize]
    }

    /// Changes an upstream, and keeps the counts of ejected and serving ones right. O(1).
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

    /// Upstreams that are removed while leases of them are in use.
    pub(crate) fn removed_in_use(&self) -> impl Iterator<Item = &Upstream> {
        self.slab.iter().filter(|upstream| upstream.removed && upstream.in_flight > 0)
    }

    /// The token of the upstream at an index.
    pub(crate) fn token(&self, index: u32) -> UpstreamToken {
        UpstreamToken::new(index, self.slab[index as usize].serial)
    }

    /// Selects `prefer` if it exists and has room, else the best upstream. O(1).
    pub(crate) fn select(&self, prefer: UpstreamToken) -> Option<u32> {
        let index = prefer.index();
        if prefer != UpstreamToken::NONE
            && self.available.contains(index)
            && self.token(index) == prefer
        {
            return Some(index);
        }
        self.available.first().map(|(_, index)| index)
    }

    /// Counts a grant; returns whether its lease is the probe. O(log n).
    pub(crate) fn grant(&mut self, index: u32, grant: u64, adaptive: Option<&Adaptive>) -> bool {
        let upstream = &mut self.slab[index as usize];
        upstream.in_flight += 1;
        upstream.granted += 1;
        upstream.last_used = grant;
        let probe = upstream.health.grant();
        self.update_rank(index, adaptive);
        probe
    }

    /// Updates the position of an upstream in the heap after any change. O(log n).
    pub(crate) fn update_rank(&mut self, index: u32, adaptive: Option<&Adaptive>) {
        let upstream = &self.slab[index as usize];
        if upstream.has_room(adaptive) {
            self.available.set(index, upstream.rank());
        } else {
            self.available.remove(index);
        }
    }
}
