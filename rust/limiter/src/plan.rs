//! The limits of a key: the limiter's own, or others that some keys share.
//!
//! Gateways have few sets of limits for many keys (tiers), so a slot holds the number of its set. Sets
//! are immutable and stay as long as the limiter, which makes reading one a plain load.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::limit::Limit;

/// So many different sets of limits.
pub const MOST_PLANS: usize = 1 << 16;
const CHUNK: usize = 256;

/// A set of limits, in the order of the limiter's own.
pub type Plan = Box<[Limit]>;

/// There are 65,536 different sets of limits already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPlans;

type Chunk = Box<[OnceLock<Plan>]>;

pub(crate) struct Plans {
    own: Plan,
    others: Box<[OnceLock<Chunk>]>,
    numbers: Mutex<HashMap<Plan, usize>>,
}

impl Plans {
    pub(crate) fn new(own: Plan) -> Self {
        let others = (0..MOST_PLANS / CHUNK).map(|_| OnceLock::new()).collect();
        let numbers = Mutex::new(HashMap::from([(own.clone(), 0)]));
        Self { own, others, numbers }
    }

    /// The limiter's own.
    #[inline]
    pub(crate) fn own(&self) -> &[Limit] {
        &self.own
    }

    /// Set `number`. O(1), lock-free.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> &[Limit] {
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
        let _ = chunk[next % CHUNK].set(plan.clone());
        numbers.insert(plan, next);
        Ok(next)
    }

    fn other(&self, number: usize) -> Option<&[Limit]> {
        Some(self.others.get(number / CHUNK)?.get()?[number % CHUNK].get()?)
    }
}
