//! Decisions of a session whose store does not answer, by the rules for an outage.

use smallvec::SmallVec;

use crate::decision::{Denial, Fault};
use crate::limits::credit::Credit;
use crate::limits::limit::Refusal;
use crate::shared::core::Core;
use crate::shared::outage::{Known, Outage};
use crate::shared::outcome::{Chores, Given, Source, Ticket, Want};
use crate::shared::session::{LimitSession, Session, Waiter};
use crate::shared::settings::OnOutage;
use crate::time::Now;

impl Session {
    /// Begins an outage, unless one is under way.
    pub(crate) fn begin_outage(&mut self, core: &Core, now: Now) {
        if self.outage.is_some() {
            return;
        }
        let server_ns = core.server_ns(self.clock, now);
        let processes = self.holders.max(core.settings.processes.into());
        let limits = self.limits.iter().zip(&core.limits).zip(&core.settings.on_outage).map(
            |((session, shared), &policy)| {
                let LimitSession { capacity, fill, .. } = *session;
                (shared.definition, Known { capacity, fill, processes, policy })
            },
        );
        self.outage = Some(Outage::new(limits, now, server_ns));
    }

    /// Decides by the rules for an outage, which is under way. O(limits).
    pub(crate) fn decide_in_outage(
        &mut self,
        core: &Core,
        costs: &[u64],
        want: Want,
        owner: u32,
        now: Now,
    ) -> Result<Given, Fault> {
        let server_ns = core.server_ns(self.clock, now);
        let Self { outage: Some(outage), limits, until_ns, key, .. } = self else {
            return Err(Fault::Stale(0));
        };
        let closes = outage.is_closed() || now.ns >= *until_ns || want != Want::Take;
        let mut held: SmallVec<[u64; 4]> = SmallVec::new();
        core.limiter.update_credit(*key, now, |limit, credit| {
            held.push(credit.held);
            if closes {
                outage.observe(limit, &mut limits[limit].account, credit);
            }
        })?;
        if closes {
            outage.close();
        }
        if let Some(denial) = outage.check(costs, &held, now, server_ns) {
            return Ok(Given::Refused(denial));
        }
        let Want::Reserve { ttl_ns } = want else {
            outage.charge(costs);
            return Ok(Given::Taken);
        };
        let lend = |limit: usize, credit: &mut Credit| {
            let cost = costs[core.limits[limit].definition.unit];
            limits[limit].account.lend_in_outage(credit, cost);
            outage.lend(limit, cost);
        };
        core.limiter.hold_granted(*key, costs, owner, ttl_ns, now, lend).map(Given::Reserved)
    }

    /// Takes a decision out of the line and decides it by the rules for an outage; if the store is
    /// within reach, only limits that are open then admit. Returns whether it waited.
    pub(crate) fn expire(&mut self, core: &Core, ticket: Ticket, now: Now) -> bool {
        let under_way = self.flight.iter().flat_map(|flight| &flight.batch);
        let Some(waiter) =
            self.line.iter().chain(under_way).find(|it| it.ticket == ticket).cloned()
        else {
            return false;
        };
        let Waiter { ref costs, want, owner, .. } = waiter;
        let given = if self.outage.is_some() {
            self.decide_in_outage(core, costs, want, owner, now).unwrap_or_else(Given::Failed)
        } else {
            self.decide_as_in_outage(core, costs, want, owner, now)
        };
        core.deliver(waiter.ticket, given, Source::Outage, now, &mut Chores::default());
        self.line.retain(|waiter| waiter.ticket != ticket);
        true
    }

    /// Admits if all limits concerned admit everything in an outage.
    fn decide_as_in_outage(
        &mut self,
        core: &Core,
        costs: &[u64],
        want: Want,
        owner: u32,
        now: Now,
    ) -> Given {
        let limits = core.limits.iter().zip(&core.settings.on_outage);
        let refuses = limits.enumerate().find(|(_, (shared, policy))| {
            costs[shared.definition.unit] > 0 && **policy != OnOutage::Open
        });
        if let Some((limit, _)) = refuses {
            let refusal = Refusal::Until(core.settings.timeout_ns.max(1_000_000));
            return Given::Refused(Denial { limit, refusal });
        }
        match want {
            Want::Take => {
                for (session, shared) in self.limits.iter_mut().zip(&core.limits) {
                    session.account.owe(costs[shared.definition.unit]);
                }
                Given::Taken
            }
            // What it spends is reported when it ends.
            Want::Reserve { ttl_ns } => {
                let held =
                    core.limiter.hold_granted(self.key, costs, owner, ttl_ns, now, |_, _| {});
                held.map_or_else(Given::Failed, Given::Reserved)
            }
        }
    }
}
