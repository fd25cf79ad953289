//! Double-entry bookkeeping of one limit of one key in this process: what the store granted, and
//! what was spent of it.
//!
//! The slot has the balance: what was granted less what was spent, of which no caller tells this
//! module. So what was spent is a difference: `base`, which the balance would be if nothing had
//! been spent since the last report, less the balance.
//!
//! All amounts are in millionths, except in a [`Report`].

use crate::limits::credit::Credit;
use crate::shared::plan::Plan;

/// One limit of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// The credit that this process holds by the last answer.
    granted: u64,
    /// What balance and reserve would be in sum, had nothing been spent since the last report.
    base: i64,
    /// Credit that is not in the slot yet. When the slot refuses, this is added and the key is asked
    /// for again, so deciding needs no watermark.
    reserve: u64,
    /// Spent but not reported, besides what base and balance tell.
    unreported: u64,
    /// Admitted in an outage without credit.
    outage_debt: u64,
    /// Free credit that was given up when the books were closed, or since.
    dropped: u64,
    /// The balance that was reported by the call under way.
    bind: i64,
    /// What the call under way reports.
    report: Report,
    /// Quotas: what was reported in the window, in quanta, and the window's end.
    window: (u64, u64),
}

/// What a call reports of a limit and asks for; amounts are in quanta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) spent: u64,
    pub(crate) debt: u64,
    pub(crate) bind: u64,
    pub(crate) want: u64,
    /// What open reservations hold.
    pub(crate) held: u64,
}

/// What an answer says of a limit, and what has happened meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    /// What is lent, in quanta.
    pub(crate) granted: u64,
    /// How many millionths of it are for reservations that the caller is about to enter.
    pub(crate) lent_to_waiters: u64,
    /// Whether the books are closed, see [`Account::close`].
    pub(crate) is_closed: bool,
    /// Whether the lease of the answer before had ended.
    pub(crate) had_ended: bool,
}

/// How a report is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Whether costs are consumed: the limit is not on concurrency.
    pub(crate) is_consumed: bool,
    /// Whether the lease of the last answer has not ended.
    pub(crate) is_alive: bool,
    /// How much credit the process would like to have beside its reservations.
    pub(crate) ahead: u64,
    /// Whether free credit is given back: for those who wait in the same call, or because the
    /// process leaves.
    pub(crate) gives_back: bool,
}

impl Account {
    /// The credit of the last answer.
    pub(crate) fn granted(&self) -> u64 {
        self.granted
    }

    /// Credit that is not in the slot yet.
    pub(crate) fn reserve(&self) -> u64 {
        self.reserve
    }

    /// What was spent since the last report.
    pub(crate) fn spent(&self, credit: &Credit) -> u64 {
        let left = credit.balance.saturating_add_unsigned(self.reserve);
        let spent = u64::try_from(self.base.saturating_sub(left)).unwrap_or(0);
        spent.saturating_add(self.unreported)
    }

    /// Whether nothing is lent, spent or owed.
    pub(crate) fn is_settled(&self, credit: &Credit) -> bool {
        let Self { granted, reserve, outage_debt, .. } = *self;
        granted == 0
            && reserve == 0
            && outage_debt == 0
            && credit.held == 0
            && self.spent(credit) == 0
    }

    /// Whether what is not known to be reported is covered by credit, which the store charges when
    /// its lease ends.
    pub(crate) fn owes_nothing(&self, credit: &Credit) -> bool {
        let bound = u64::try_from(self.bind).unwrap_or(0);
        self.report.debt == 0 && self.outage_debt == 0 && self.spent(credit) <= bound
    }

    pub(crate) fn has_outage_debt(&self) -> bool {
        self.outage_debt > 0
    }

    /// Adds what was admitted in an outage without credit.
    pub(crate) fn owe(&mut self, amount: u64) {
        self.outage_debt = self.outage_debt.saturating_add(amount);
    }

    /// Moves the reserve into the slot. Returns whether there was any.
    pub(crate) fn release_reserve(&mut self, credit: &mut Credit) -> bool {
        let reserve = std::mem::take(&mut self.reserve);
        credit.balance = credit.balance.saturating_add_unsigned(reserve);
        reserve > 0
    }

    /// Makes the report of a new call. What is given back leaves the slot here, before it is said.
    pub(crate) fn report(&mut self, credit: &mut Credit, terms: Terms, plan: &Plan) -> Report {
        let spent = self.spent(credit);
        self.release_reserve(credit);
        let (balance, held) = (u64::try_from(credit.balance).unwrap_or(0), credit.held);
        let free = if terms.is_alive { balance.saturating_sub(held) } else { 0 };
        let keep = if terms.gives_back { 0 } else { free.min(terms.ahead) };
        let bind = held.saturating_add(keep);
        let (spent, bind) = if terms.is_consumed {
            // If reservations outlive their lease, the balance is less than they hold. What is said
            // to be bound is never more than the store has granted.
            (plan.cost(spent), plan.quanta(bind.min(balance)))
        } else {
            (0, plan.cost(bind))
        };
        let of_credit = spent.min(plan.quanta(self.granted));
        self.report = Report {
            spent: of_credit,
            debt: spent - of_credit + plan.cost(self.outage_debt),
            bind,
            want: plan.cost(held.saturating_add(terms.ahead)),
            held: plan.cost(held),
        };
        self.bind = i64::try_from(plan.millionths(bind)).unwrap_or(i64::MAX);
        (credit.balance, self.base) = (self.bind, self.bind);
        (self.unreported, self.outage_debt, self.dropped) = (0, 0, 0);
        self.report
    }

    /// Takes a report back that the store has not seen: it is part of the next one.
    pub(crate) fn take_back(&mut self, plan: &Plan) {
        let Report { spent, debt, .. } = std::mem::take(&mut self.report);
        let amount = plan.millionths(spent.saturating_add(debt));
        self.unreported = self.unreported.saturating_add(amount);
    }

    /// Books the answer to the call under way.
    pub(crate) fn grant(&mut self, credit: &mut Credit, grant: Grant, plan: &Plan) {
        let free = u64::try_from(credit.balance).unwrap_or(0).saturating_sub(credit.held);
        let dropped = std::mem::take(&mut self.dropped).saturating_add(free);
        self.granted = plan.millionths(grant.granted);
        let granted = i64::try_from(self.granted).unwrap_or(i64::MAX);
        let balance = if grant.is_closed {
            // Reservations may have ended since the books were looked at: the slot was not locked.
            let late = u64::try_from(self.base.saturating_sub(credit.balance)).unwrap_or(0);
            let spent = std::mem::take(&mut self.unreported).saturating_add(late);
            granted.saturating_sub_unsigned(spent)
        } else {
            credit.balance.saturating_add(granted.saturating_sub(self.bind))
        };
        self.base = granted;
        self.report = Report::default();
        credit.balance = balance.saturating_sub_unsigned(grant.lent_to_waiters);
        if grant.had_ended {
            // The store may have charged that credit, given its room to others, and lent it again
            // because it was reported as bound. It is reported as spent.
            let free = u64::try_from(credit.balance).unwrap_or(0).saturating_sub(credit.held);
            credit.balance = credit.balance.saturating_sub_unsigned(free.min(dropped));
        }
    }

    /// Keeps half of the free credit out of the slot.
    pub(crate) fn keep_reserve(&mut self, credit: &mut Credit) {
        let free = u64::try_from(credit.balance).unwrap_or(0).saturating_sub(credit.held);
        self.reserve = free / 2;
        credit.balance = credit.balance.saturating_sub_unsigned(self.reserve);
    }

    /// Books that the process has left: its credit was charged in full, so nothing more is reported
    /// of reservations that end later.
    pub(crate) fn leave(&mut self) {
        self.granted = u64::try_from(self.bind).unwrap_or(0);
        self.report = Report::default();
    }

    /// Closes the books of an outage: what was spent is noted, and only what reservations hold is
    /// left in the slot.
    pub(crate) fn close(&mut self, credit: &mut Credit) {
        self.unreported = self.spent(credit);
        self.reserve = 0;
        self.rebase(credit);
    }

    /// What was spent since the books were closed or this was called last.
    pub(crate) fn spent_since_closed(&mut self, credit: &mut Credit) -> u64 {
        let spent = u64::try_from(self.base.saturating_sub(credit.balance)).unwrap_or(0);
        self.rebase(credit);
        spent
    }

    /// Adds to what was spent but not reported.
    pub(crate) fn note_unreported(&mut self, amount: u64) {
        self.unreported = self.unreported.saturating_add(amount);
    }

    /// Adds a reservation of an outage, which the caller is about to enter.
    pub(crate) fn lend_in_outage(&mut self, credit: &mut Credit, cost: u64) {
        credit.balance = credit.balance.saturating_add_unsigned(cost);
        self.base = self.base.saturating_add_unsigned(cost);
    }

    fn rebase(&mut self, credit: &mut Credit) {
        let free = u64::try_from(credit.balance).unwrap_or(0).saturating_sub(credit.held);
        self.dropped = self.dropped.saturating_add(free);
        credit.balance = i64::try_from(credit.held).unwrap_or(i64::MAX);
        credit.until_ns = 0;
        self.base = credit.balance;
    }

    /// Quotas: what was reported in the window that ends then, in quanta.
    pub(crate) fn reported_in(&self, window_end_us: u64) -> u64 {
        if self.window.1 == window_end_us { self.window.0 } else { 0 }
    }

    /// Quotas: adds to what was reported in the window that ends then.
    pub(crate) fn note_reported(&mut self, window_end_us: u64, amount: u64) {
        let before = self.reported_in(window_end_us);
        self.window = (before.saturating_add(amount), window_end_us);
    }

    /// What the call under way reports.
    pub(crate) fn reported(&self) -> Report {
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::limit::{Limit, UNIT};

    #[test]
    fn what_is_settled_between_closing_the_books_and_the_answer_stays_spent() {
        let plan = Plan::of(&Limit::rate(0, UNIT, 1_000_000_000, 10 * UNIT)).expect("shareable");
        let (mut account, mut credit) = (Account::default(), Credit::default());
        let quanta = plan.quanta(5 * UNIT);
        let mut grant =
            Grant { granted: quanta, lent_to_waiters: 0, is_closed: false, had_ended: true };
        let terms = Terms { is_consumed: true, is_alive: false, ahead: 0, gives_back: false };
        account.report(&mut credit, terms, &plan);
        account.grant(&mut credit, grant, &plan);
        credit.held = 5 * UNIT;
        account.report(&mut credit, terms, &plan);
        account.close(&mut credit);
        // Another thread settles the reservation in full before the answer is booked.
        credit.spend(5 * UNIT);
        credit.held = 0;
        grant.is_closed = true;
        account.grant(&mut credit, grant, &plan);
        assert_eq!(credit.balance, 0);
        assert_eq!(account.spent(&credit), 5 * UNIT);
    }
}
