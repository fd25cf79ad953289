//! The limits of a key: the limiter's own, or others that some keys share.
//!
//! Gateways have few sets of limits for many keys (tiers), so a slot holds the number of its set. Who
//! changes the limits of keys all the time has many in a day and few at once, so a number is given out
//! again when no slot has it any more.
//!
//! A number is counted *before* a slot gets it and given back *after* the slot has lost it, and slots are
//! read and written under their locks: as long as anybody reads a set, some slot has its number. So what
//! stands there is overwritten by nobody, and to read it is to read words, without a lock or a count of
//! readers. (`tests/loom.rs`)

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError};

use crate::limit::Limit;
use crate::rule::{RULE, Rule};
use crate::sync::{AtomicU64, Mutex, Ordering, PLANS, PLANS_AT_ONCE};

/// So many different sets of limits at a time, with the limiter's own.
pub const MOST_PLANS: usize = PLANS;

/// A set of limits, in the order of the limiter's own.
pub type Plan = Box<[Limit]>;

/// Keys have 65,536 different sets of limits, with the limiter's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPlans;

pub(crate) struct Plans {
    limits: Plan,
    /// Set 0.
    own: Box<[Rule]>,
    /// The words of all others, [`PLANS_AT_ONCE`] sets together.
    others: Box<[OnceLock<Box<[AtomicU64]>>]>,
    numbers: Mutex<Numbers>,
}

struct Numbers {
    /// The sets that are in use.
    known: HashMap<Plan, usize>,
    /// How often each number is: in slots, and by who is about to put it into one.
    uses: Vec<u32>,
    free: Vec<usize>,
}

impl Plans {
    pub(crate) fn new(own: Plan) -> Self {
        let others = (0..PLANS / PLANS_AT_ONCE).map(|_| OnceLock::new()).collect();
        // The limiter's own is never given back.
        let numbers =
            Numbers { known: HashMap::from([(own.clone(), 0)]), uses: vec![1], free: Vec::new() };
        Self {
            own: own.iter().map(|&limit| Rule::new(limit)).collect(),
            limits: own,
            others,
            numbers: Mutex::new(numbers),
        }
    }

    /// The limiter's own limits.
    pub(crate) fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// The limiter's own, ready for deciding.
    #[inline]
    pub(crate) fn own(&self) -> &[Rule] {
        &self.own
    }

    /// Set `number`, which is not 0, ready for deciding. For who has locked a slot that has it.
    #[inline]
    pub(crate) fn others(&self, number: usize) -> impl Iterator<Item = Rule> + '_ {
        let words = self.words(number).as_chunks::<RULE>().0;
        words.iter().map(|words| {
            Rule::from_words(words.each_ref().map(|word| word.load(Ordering::Relaxed)))
        })
    }

    /// The limits of set `number`. For who has locked a slot that has it, or has counted it.
    pub(crate) fn get(&self, number: usize) -> impl Iterator<Item = Limit> + '_ {
        let own = if number == 0 { &self.limits[..] } else { &[] };
        let others = (number != 0).then(|| self.others(number).map(|rule| rule.limit));
        own.iter().copied().chain(others.into_iter().flatten())
    }

    /// The number of `plan`, counted once: for a slot, or to be given back. O(limits), one lock.
    pub(crate) fn count(&self, plan: Plan) -> Result<usize, TooManyPlans> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = numbers.known.get(&plan) {
            numbers.uses[number] += u32::from(number != 0);
            return Ok(number);
        }
        let number = match numbers.free.pop() {
            Some(number) => number,
            None if numbers.uses.len() < PLANS => {
                numbers.uses.push(0);
                numbers.uses.len() - 1
            }
            None => return Err(TooManyPlans),
        };
        let chunk = self.others[number / PLANS_AT_ONCE]
            .get_or_init(|| (0..PLANS_AT_ONCE * self.size()).map(|_| AtomicU64::new(0)).collect());
        let at = number % PLANS_AT_ONCE * self.size();
        let words = plan.iter().flat_map(|&limit| Rule::new(limit).to_words());
        for (word, value) in chunk[at..].iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        numbers.uses[number] = 1;
        numbers.known.insert(plan, number);
        Ok(number)
    }

    /// Counts a number once more, that is counted already.
    pub(crate) fn count_again(&self, number: usize) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.uses[number] += u32::from(number != 0);
    }

    /// Gives a number back that was counted, and that no slot has on that account any more. O(limits).
    pub(crate) fn give_back(&self, number: usize) {
        if number == 0 {
            return;
        }
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.uses[number] -= 1;
        if numbers.uses[number] == 0 {
            let plan: Plan = self.get(number).collect();
            numbers.known.remove(&plan);
            numbers.free.push(number);
        }
    }

    /// Words of a set.
    fn size(&self) -> usize {
        RULE * self.own.len()
    }

    #[inline]
    fn words(&self, number: usize) -> &[AtomicU64] {
        let chunk = self.others[number / PLANS_AT_ONCE].get();
        let at = number % PLANS_AT_ONCE * self.size();
        chunk.and_then(|chunk| chunk.get(at..at + self.size())).unwrap_or_default()
    }
}
