//! Mailboxes: a queue of answers for each owner, and where each ticket waits.
//!
//! No native thread calls JavaScript. An answer for a waiter of another thread goes to the mailbox
//! of its owner, whose bell the caller rings.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::keys::key::Key;
use crate::reservations::book::ReservationId;
use crate::shared::outcome::{Answer, Given, Ticket};

/// The mailboxes of all owners.
#[derive(Default)]
pub(crate) struct Mailboxes {
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which key a ticket waits for, and its owner.
    waiting: BTreeMap<Ticket, (Key, u32)>,
    answers: BTreeMap<u32, VecDeque<Answer>>,
}

impl Mailboxes {
    /// A ticket for a decision about `key`. O(log n), as are the next ones.
    pub(crate) fn open(&self, key: Key, owner: u32) -> Ticket {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        self.lock().waiting.insert(ticket, (key, owner));
        ticket
    }

    /// Where a ticket waits.
    pub(crate) fn find(&self, ticket: Ticket) -> Option<Key> {
        self.lock().waiting.get(&ticket).map(|&(key, _)| key)
    }

    /// Whether a ticket still waits.
    pub(crate) fn is_waiting(&self, ticket: Ticket) -> bool {
        self.lock().waiting.contains_key(&ticket)
    }

    /// Forgets a ticket that waits. Returns whether it did.
    pub(crate) fn close(&self, ticket: Ticket) -> bool {
        self.lock().waiting.remove(&ticket).is_some()
    }

    /// Delivers an answer to the owner of its ticket, and returns the owner if the mailbox was empty.
    /// The error is that no caller waits for it any more.
    pub(crate) fn deliver(&self, answer: Answer) -> Result<Option<u32>, Answer> {
        let mut state = self.lock();
        let Some((_, owner)) = state.waiting.remove(&answer.ticket) else { return Err(answer) };
        let answers = state.answers.entry(owner).or_default();
        answers.push_back(answer);
        Ok((answers.len() == 1).then_some(owner))
    }

    /// Moves at most `most` answers of an owner to `to`. O(answers).
    pub(crate) fn collect(&self, owner: u32, most: usize, to: &mut Vec<Answer>) {
        let mut state = self.lock();
        let Some(answers) = state.answers.get_mut(&owner) else { return };
        to.extend(answers.drain(..most.min(answers.len())));
        if answers.is_empty() {
            state.answers.remove(&owner);
        }
    }

    /// Takes an answer that was not collected out of its mailbox. O(answers).
    pub(crate) fn withdraw(&self, ticket: Ticket) -> Option<Answer> {
        let mut state = self.lock();
        state.answers.values_mut().find_map(|answers| {
            let at = answers.iter().position(|answer| answer.ticket == ticket)?;
            answers.remove(at)
        })
    }

    /// Forgets an owner and its tickets, and returns the reservations that it has not collected.
    /// O(tickets).
    pub(crate) fn abandon(&self, owner: u32) -> Vec<ReservationId> {
        let mut state = self.lock();
        state.waiting.retain(|_, (_, of)| *of != owner);
        let answers = state.answers.remove(&owner).unwrap_or_default();
        let reservations = answers.into_iter().filter_map(|answer| match answer.given {
            Given::Reserved(id) => Some(id),
            _ => None,
        });
        reservations.collect()
    }

    /// How many decisions wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
