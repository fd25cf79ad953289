//! The limits of a key: the limiter's own, or others that some keys share.
//!
//! Gateways have few sets of limits for many keys (tiers), so a slot holds the number of its set. Sets
//! are immutable and stay as long as the limiter, which makes reading one a plain load.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::limit::Limit;
use crate::rule::Rule;

/// So many different sets of limits.
pub const MOST_PLANS: usize = 1 << 16;
const CHUNK: usize = 256;

/// A set of limits, in the order of the limiter's own.
pub type Plan = Box<[Limit]>;

/// There are 65,536 different sets of limits already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPlans;

type Rules = Box<[Rule]>;
type Chunk = Box<[OnceLock<Rules>]>;

pub(crate) struct Plans {
    limits: Plan,
    own: Rules,
    others: Box<[OnceLock<Chunk>]>,
    numbers: Mutex<HashMap<Plan, usize>>,
}

impl Plans {
    pub(crate) fn new(own: Plan) -> Self {
        let others = (0..MOST_PLANS / CHUNK).map(|_| OnceLock::new()).collect();
        let numbers = Mutex::new(HashMap::from([(own.clone(), 0)]));
        Self { own: rules(&own), limits: own, others, numbers }
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

    /// Set `number`. O(1), lock-free.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> &[Rule] {
        if number == 0 { &self.own } else { self.other(number).unwrap_or(&self.own) }
    }

    /// The number of `plan`, which is added if it is new. O(limits), one lock.
    pub(crate) fn number(&self, plan: Plan) -> Result<usize, TooManyPlans> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len();
        if let Some(&number) = numbers.get(&plan) {
            return Ok(number);
        }
        let chunk = self.others.get(next / CHUNK).ok_or(TooManyPlans)?;
        let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        let _ = chunk[next % CHUNK].set(rules(&plan));
        numbers.insert(plan, next);
        Ok(next)
    }

    fn other(&self, number: usize) -> Option<&[Rule]> {
        Some(self.others.get(number / CHUNK)?.get()?[number % CHUNK].get()?)
    }
}

fn rules(limits: &[Limit]) -> Rules {
    limits.iter().map(|&limit| Rule::new(limit)).collect()
}
