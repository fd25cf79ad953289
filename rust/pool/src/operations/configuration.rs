//! Configuration at run time: upstreams are added, changed and removed, and the total limit
//! changes.

use crate::index::NONE;
use crate::pool::Pool;
use crate::results::{Refusal, UpstreamChange};
use crate::settings::{Settings, UpstreamSettings};
use crate::time::Millis;
use crate::upstreams::token::UpstreamToken;

impl Pool {
    /// Adds an upstream. O(log n).
    ///
    /// # Errors
    /// [`Refusal::DuplicateUpstream`], [`Refusal::TooMany`].
    pub fn add_upstream(
        &mut self,
        id: &str,
        settings: UpstreamSettings,
        now: Millis,
    ) -> Result<u32, Refusal> {
        self.advance(now, NONE);
        if self.upstreams.find(id).is_some() {
            return Err(Refusal::DuplicateUpstream);
        }
        let index = self.upstreams.add(id, settings).ok_or(Refusal::TooMany)?;
        self.share_upstream(index);
        self.update_rank(index);
        self.hand_over();
        Ok(index)
    }

    /// Removes an upstream; its leases stay in use. O(log n).
    pub fn remove_upstream(&mut self, index: u32, now: Millis) {
        self.advance(now, NONE);
        self.resting.remove(index);
        self.upstreams.remove(index);
    }

    /// Changes an upstream. O(log n).
    pub fn change_upstream(&mut self, index: u32, setting: UpstreamChange, now: Millis) {
        self.advance(now, NONE);
        self.upstreams.change(index, |upstream| match setting {
            UpstreamChange::MaxInFlight(max) => {
                upstream.limit.resize(upstream.settings.max_in_flight, max);
                upstream.settings.max_in_flight = max;
                upstream.ceiling = max;
            }
            UpstreamChange::Weight(weight) => upstream.settings.weight = weight,
            UpstreamChange::Tier(tier) => upstream.settings.tier = tier,
            UpstreamChange::Draining(draining) => upstream.draining = draining,
        });
        self.update_ceiling(index);
        self.update_rank(index);
        self.hand_over();
    }

    /// The index of an upstream that is not removed. O(1).
    #[must_use]
    pub fn find_upstream(&self, id: &str) -> Option<u32> {
        self.upstreams.find(id)
    }

    /// The token by which an upstream can be preferred, as long as it is in the pool. O(1).
    #[must_use]
    pub fn token(&self, index: u32) -> UpstreamToken {
        self.upstreams.token(index)
    }

    /// The id of an upstream, even of a removed one while its leases are in use. O(1).
    #[must_use]
    pub fn upstream_id(&self, index: u32) -> Option<&str> {
        self.upstreams.named(index).map(|upstream| &*upstream.id)
    }

    /// The current settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sets the most leases in use over all upstreams. O(log n) for each lease that is handed over.
    pub fn set_max_in_flight(&mut self, max: u32, now: Millis) {
        self.advance(now, NONE);
        self.settings.max_in_flight = max;
        self.update_total_ceiling();
        self.hand_over();
    }
}
