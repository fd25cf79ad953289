//! The state of one key in the reference store, and its fields as the script writes them.

use std::collections::BTreeMap;

use crate::shared::message::MOST_QUANTA;

/// The hash of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Hash {
    /// Whether a call was served since the hash was made.
    pub(super) is_synced: bool,
    pub(super) due: u64,
    pub(super) config: Option<String>,
    pub(super) expires_us: Option<u64>,
    pub(super) removed_us: Option<u64>,
    pub(super) version: Option<u64>,
    pub(super) usage: BTreeMap<String, Usage>,
    pub(super) leases: BTreeMap<String, Lease>,
    pub(super) ended: BTreeMap<String, Ended>,
    /// Capacity (none if unlimited) and rate of limits that were set.
    pub(super) set: BTreeMap<String, (Option<u64>, u64, u64)>,
}

/// What is consumed of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Usage {
    pub(super) kind: char,
    pub(super) level: u64,
    pub(super) at: u64,
}

/// What is lent to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lease {
    pub(super) end: u64,
    pub(super) seq: u64,
    pub(super) credit: Vec<(String, u64)>,
    pub(super) results: String,
}

/// What was charged when a lease ended, and the window of a quota that it was charged to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ended {
    pub(super) seq: u64,
    pub(super) charged: Vec<(String, u64, Option<u64>)>,
    pub(super) results: String,
}

impl Usage {
    /// Charges a limit whose definition is not known. A rate that is not known just stops decaying.
    /// Returns the window of a quota.
    pub(super) fn charge(&mut self, amount: u64, now: u64) -> Option<u64> {
        let is_open = self.at > now;
        if self.kind == 'r' || self.kind == 'q' && is_open {
            self.level = (self.level + amount).min(MOST_QUANTA);
        }
        if self.kind == 'r' {
            self.at = self.at.max(now);
        }
        (self.kind == 'q' && is_open).then_some(self.at)
    }
}

impl Hash {
    pub(super) fn is_expired(&self, now_us: u64) -> bool {
        self.removed_us.is_some_and(|at| now_us > at)
    }

    /// What is lent of a limit.
    pub(super) fn held(&self, name: &str) -> u64 {
        self.leases.values().map(|lease| lease.of(name)).sum()
    }

    pub(super) fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        let mut put = |name: String, value: String| fields.insert(name, value);
        if self.is_synced {
            put("n".into(), self.leases.len().to_string());
            put("d".into(), self.due.to_string());
        }
        for (name, value) in [("x", self.expires_us), ("v", self.version)] {
            if let Some(value) = value {
                put(name.into(), value.to_string());
            }
        }
        if let Some(config) = &self.config {
            put("g".into(), config.clone());
        }
        for (name, Usage { kind, level, at }) in &self.usage {
            let held = self.held(name);
            put(format!("l.{name}"), format!("{kind} {level} {at} {held}"));
        }
        for (process, Lease { end, seq, credit, results }) in &self.leases {
            let credit = list(credit.iter().map(|(name, amount)| format!("{name}={amount}")));
            put(format!("p.{process}"), format!("{end} {seq} {credit}{results}"));
        }
        for (process, Ended { seq, charged, results }) in &self.ended {
            let charged = list(charged.iter().map(|(name, amount, window)| match window {
                Some(window) => format!("{name}={amount}:{window}"),
                None => format!("{name}={amount}"),
            }));
            put(format!("z.{process}"), format!("{seq} {charged}{results}"));
        }
        for (name, (capacity, a, b)) in &self.set {
            let capacity = capacity.map_or("-1".into(), |capacity| capacity.to_string());
            put(format!("c.{name}"), format!("{capacity} {a} {b}"));
        }
        fields
    }
}

impl Lease {
    pub(super) fn of(&self, name: &str) -> u64 {
        amount_of(&self.credit, name)
    }
}

/// The amount that a list has for a name, or 0.
pub(super) fn amount_of(list: &[(String, u64)], name: &str) -> u64 {
    list.iter().find(|(of, _)| of == name).map_or(0, |&(_, amount)| amount)
}

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<_> = words.collect();
    if words.is_empty() { "-".into() } else { words.join(",") }
}
