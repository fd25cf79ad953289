//! Calls to the store that are no part of a key's session: looking, setting limits, resetting.
//!
//! They are not repeated, and their answers do not depend on an order, so any answer is as good as
//! another. What they change is known to the session from its next call on.

use crate::decision::{Denial, Fault};
use crate::keys::key::Key;
use crate::limits::limit::{Limit, Refusal};
use crate::shared::core::ServerClock;
use crate::shared::message::{
    LimitReport, LimitSetting, Reply, SyncRequest, Wait, Waiter, WaiterResult, encode_reset,
    encode_set_limits,
};
use crate::shared::settings::OnLoss;
use crate::shared::shared_limiter::{NotShareable, SharedLimiter};
use crate::time::Now;

/// The answer to a call that is no part of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The call would be decided so, or the change was made.
    Decided(Result<(), Denial>),
    /// The store's clock was not as expected. Make the call anew.
    Again,
    /// No sense is to be made of the answer.
    Bad,
}

impl SharedLimiter {
    /// The arguments of a call that decides about costs and charges nothing. O(limits).
    ///
    /// # Errors
    /// [`Fault::Stale`] or [`Fault::WrongCosts`].
    pub fn peek_call(&self, key: Key, costs: &[u64], now: Now) -> Result<String, Fault> {
        if costs.len() != self.core.limiter.units() {
            return Err(Fault::WrongCosts);
        }
        let server_ns = self.core.server_ns(None, now);
        let known = self.inspect(key, now)?;
        let limits = self.core.limits.iter().zip(known.limits).map(|(shared, known)| LimitReport {
            name: shared.name.clone(),
            limit: shared.plan.at(server_ns),
            spent: 0,
            debt: 0,
            // The free credit of this process is as good as room.
            bind: shared.plan.cost(known.unreported.saturating_add(known.held)),
            want: 0,
            restore: 0,
        });
        let all = self.core.limits.iter();
        let costs = all.map(|shared| shared.plan.cost(costs[shared.definition.unit])).collect();
        let settings = &self.core.settings;
        let request = SyncRequest {
            is_peek: true,
            process: settings.process.clone(),
            seq: self.core.next_seq(),
            lease_us: settings.lease_ns / 1000,
            is_leaving: false,
            epoch: 0,
            is_strict: settings.on_loss == OnLoss::Strict,
            config: settings.stamp.clone(),
            limits: limits.collect(),
            waiters: vec![Waiter { is_reservation: false, costs }],
        };
        Ok(request.encode())
    }

    /// The arguments of a call that sets limits of a key for all processes, or clears them. O(limits).
    ///
    /// # Errors
    /// [`NotShareable`] for a limit that is too large for the amounts that the key has in the store.
    pub fn limits_call(&self, limits: Option<&[Limit]>, now: Now) -> Result<String, NotShareable> {
        let server_ns = self.core.server_ns(None, now);
        let mut settings = Vec::with_capacity(self.core.limits.len());
        for (index, shared) in self.core.limits.iter().enumerate() {
            let limit = match limits {
                None => None,
                Some(limits) => {
                    let limit = limits.get(index).ok_or(NotShareable { limit: index })?;
                    let plan = shared.plan.replacement(limit);
                    Some(plan.ok_or(NotShareable { limit: index })?.at(server_ns))
                }
            };
            settings.push(LimitSetting { name: shared.name.clone(), limit });
        }
        let core = &self.core;
        let lease_us = core.settings.lease_ns / 1000;
        Ok(encode_set_limits(&core.settings.process, core.next_seq(), lease_us, &settings))
    }

    /// The arguments of a call that forgets what was consumed of a key.
    #[must_use]
    pub fn reset_call(&self) -> String {
        let core = &self.core;
        encode_reset(&core.settings.process, core.next_seq(), core.settings.lease_ns / 1000)
    }

    /// Reads the answer to one of these calls about a key. O(limits).
    pub fn told(&self, key: Key, reply: &str, now: Now) -> Told {
        match Reply::decode(reply, self.core.limits.len(), 1) {
            Ok(Reply::Synced(reply)) => match reply.results.first() {
                Some(WaiterResult::Admitted) => Told::Decided(Ok(())),
                Some(&WaiterResult::Refused { limit, wait }) => {
                    let refusal = match wait {
                        Wait::Us(us) => Refusal::Until(us.saturating_mul(1000).max(1)),
                        Wait::Held => Refusal::Held,
                        Wait::Never => Refusal::Never,
                    };
                    Told::Decided(Err(Denial { limit, refusal }))
                }
                None => Told::Bad,
            },
            Ok(Reply::Done { .. }) => {
                // What the store has refused may be admitted now.
                self.sessions.find(key, |session| {
                    for limit in &mut session.limits {
                        limit.refusal = None;
                    }
                    session.schedule(&self.core, 0, now);
                });
                Told::Decided(Ok(()))
            }
            Ok(Reply::Clock { now_us, .. }) => {
                self.core.set_clock(ServerClock { server_us: now_us, at_ns: now.ns });
                Told::Again
            }
            Ok(Reply::Old { .. }) | Err(_) => Told::Bad,
        }
    }
}
