//! The results of an answer for the decisions that waited: admitted, reserved by what the store has lent,
//! or refused, which is cached.

use smallvec::SmallVec;

use crate::decision::Denial;
use crate::limits::credit::Credit;
use crate::limits::limit::Refusal;
use crate::shared::core::Core;
use crate::shared::message::{SyncReply, Wait, WaiterResult};
use crate::shared::outcome::{Chores, Given, Source, Want};
use crate::shared::session::{CachedRefusal, Session, Waiter};
use crate::shared::settings::Mode;
use crate::time::Now;

/// How long a refusal holds at least if credit is asked for ahead, and how long one that has no time
/// of its own, in nanoseconds.
const LEAST_REFUSAL_NS: u64 = 20_000_000;

impl Session {
    /// Gives a decision that waited its result. `borrows` says whether the store has lent its cost.
    pub(crate) fn settle_waiter(
        &mut self,
        core: &Core,
        waiter: &Waiter,
        result: WaiterResult,
        borrows: bool,
        now: Now,
        chores: &mut Chores,
    ) {
        let given = match result {
            WaiterResult::Refused { limit, wait } => {
                Given::Refused(self.cache_refusal(core, &waiter.costs, limit, wait, now))
            }
            WaiterResult::Admitted => match waiter.want {
                Want::Take => Given::Taken,
                // Its credit is free now.
                Want::Reserve { .. } if !borrows => return,
                // The lease of its place has ended before the answer came.
                Want::Reserve { .. } if self.is_late_for_a_place(core, &waiter.costs, now) => {
                    self.free(core, &waiter.costs, now);
                    Given::Refused(Denial { limit: place(core), refusal: Refusal::Held })
                }
                Want::Reserve { ttl_ns } => self.hold(core, waiter, ttl_ns, now),
            },
        };
        core.deliver(waiter.ticket, given, Source::Store, now, chores);
    }

    /// Enters the reservation of a waiter, for which the store has lent credit.
    fn hold(&mut self, core: &Core, waiter: &Waiter, ttl_ns: u64, now: Now) -> Given {
        let limits = &mut self.limits;
        let lend = |limit: usize, credit: &mut Credit| {
            let lent = core.limits[limit].lent(&waiter.costs);
            credit.balance = credit.balance.saturating_add_unsigned(lent);
            limits[limit].held = limits[limit].held.saturating_add(lent);
        };
        let Waiter { ref costs, owner, .. } = *waiter;
        match core.limiter.hold_granted(self.key, costs, owner, ttl_ns, now, lend) {
            Ok(id) => Given::Reserved(id),
            Err(fault) => {
                self.free(core, costs, now);
                Given::Failed(fault)
            }
        }
    }

    /// Frees credit that was lent for a reservation. If the key was forgotten, it is gone.
    fn free(&self, core: &Core, costs: &[u64], now: Now) {
        let _ = core.limiter.update_credit(self.key, now, |limit, credit| {
            let lent = core.limits[limit].lent(costs);
            credit.balance = credit.balance.saturating_add_unsigned(lent);
        });
    }

    fn is_late_for_a_place(&self, core: &Core, costs: &[u64], now: Now) -> bool {
        let needs_a_place = (core.limits.iter().enumerate())
            .any(|(limit, shared)| core.is_concurrency(limit) && costs[shared.definition.unit] > 0);
        needs_a_place && now.ns >= self.until_ns
    }

    fn cache_refusal(
        &mut self,
        core: &Core,
        costs: &[u64],
        limit: usize,
        wait: Wait,
        now: Now,
    ) -> Denial {
        let most_ns = core.settings.lease_ns / 3;
        let is_exact = core.settings.mode == Mode::Exact;
        let (refusal, holds_ns) = match wait {
            Wait::Us(us) => {
                (Refusal::Until(us.saturating_mul(1000).max(1)), us.saturating_mul(1000))
            }
            Wait::Held => (Refusal::Held, if is_exact { 0 } else { LEAST_REFUSAL_NS }),
            Wait::Never => (Refusal::Never, most_ns),
        };
        let least_ns = if is_exact { 0 } else { LEAST_REFUSAL_NS };
        let until_ns = now.ns.saturating_add(holds_ns.min(most_ns).max(least_ns));
        let cost = costs[core.limits[limit].definition.unit];
        let cached = &mut self.limits[limit].refusal;
        let covers = |it: &CachedRefusal| it.cost <= cost && it.until_ns >= until_ns;
        if !cached.as_ref().is_some_and(covers) {
            *cached = Some(CachedRefusal { cost, until_ns, refusal, at_ns: now.ns });
        }
        Denial { limit, refusal }
    }
}

/// The first limit on concurrency.
fn place(core: &Core) -> usize {
    (0..core.limits.len()).find(|&limit| core.is_concurrency(limit)).unwrap_or(0)
}

/// For each limit, what the store has lent for reservations that somebody waits for, in millionths;
/// and for which waiters.
pub(crate) fn lent(
    core: &Core,
    batch: &[Waiter],
    reply: &SyncReply,
) -> (SmallVec<[u64; 4]>, Vec<bool>) {
    let mut lent: SmallVec<[u64; 4]> = core.limits.iter().map(|_| 0).collect();
    let borrows = batch.iter().zip(&reply.results).map(|(waiter, result)| {
        let borrows = *result == WaiterResult::Admitted
            && waiter.want != Want::Take
            && core.mailboxes.is_waiting(waiter.ticket);
        if borrows {
            for (lent, shared) in lent.iter_mut().zip(&core.limits) {
                *lent = lent.saturating_add(shared.lent(&waiter.costs));
            }
        }
        borrows
    });
    let borrows = borrows.collect();
    (lent, borrows)
}
