//! The reference store: a slow and obvious twin of the script, on maps and integers, for tests.
//!
//! It takes the texts that the script takes and the time, and answers with the same texts. What is
//! lent is summed up from the leases and not kept, so that it checks the script's bookkeeping.

mod decision;
mod hash;
mod request;
mod sync;

use std::collections::BTreeMap;

use self::hash::Hash;
use self::request::{Request, Setting};

/// 367 days in microseconds.
const LONG: u64 = 367 * 86_400_000_000;

/// A store with the keys of one limiter or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Store {
    hashes: BTreeMap<String, Hash>,
    epochs: BTreeMap<String, u64>,
}

impl Store {
    /// A store without any state.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs the script with these two keys and these arguments, joined by spaces, at this time.
    ///
    /// # Panics
    ///
    /// Panics if the arguments are not those of a request.
    pub fn run(&mut self, key: &str, epoch_key: &str, arguments: &str, now_us: u64) -> String {
        if self.hashes.get(key).is_some_and(|hash| hash.is_expired(now_us)) {
            self.hashes.remove(key);
        }
        let request = Request::parse(arguments);
        match request {
            Request::Sync(request) => {
                let epoch = self.epochs.get(epoch_key).copied();
                if epoch.is_none() && !request.is_peek {
                    self.epochs.insert(epoch_key.to_owned(), now_us);
                }
                let epoch = if request.is_peek { epoch } else { epoch.or(Some(now_us)) };
                let mut hash = self.hashes.get(key).cloned().unwrap_or_default();
                let reply = sync::run(&mut hash, &request, epoch, now_us);
                if !request.is_peek && hash != Hash::default() {
                    self.hashes.insert(key.to_owned(), hash);
                }
                reply
            }
            Request::Limits { seq, settings } => {
                let version = self.set_limits(key, settings, now_us);
                format!("done {seq} {version}")
            }
            Request::Reset { seq } => {
                let Some(hash) = self.hashes.get_mut(key) else { return format!("done {seq} 0") };
                hash.ended.clear();
                for usage in hash.usage.values_mut() {
                    usage.level = 0;
                }
                format!("done {seq} {}", hash.version.unwrap_or(0))
            }
        }
    }

    fn set_limits(&mut self, key: &str, settings: Vec<Setting>, now_us: u64) -> u64 {
        let hash = self.hashes.entry(key.to_owned()).or_default();
        for Setting { name, limit } in settings {
            match limit {
                Some(limit) => hash.set.insert(name, limit),
                None => hash.set.remove(&name),
            };
        }
        hash.expires_us = None;
        hash.version = (!hash.set.is_empty()).then_some(now_us);
        hash.removed_us = hash.version.is_none().then_some(now_us + LONG);
        let version = hash.version.unwrap_or(0);
        if hash.fields().is_empty() {
            self.hashes.remove(key);
        }
        version
    }

    /// The fields of a key's hash; none if there is no such key.
    #[must_use]
    pub fn fields(&self, key: &str) -> BTreeMap<String, String> {
        self.hashes.get(key).map(Hash::fields).unwrap_or_default()
    }

    /// When the server removes a key, in microseconds, if ever.
    #[must_use]
    pub fn removed_us(&self, key: &str) -> Option<u64> {
        self.hashes.get(key)?.removed_us
    }

    /// Loses all keys and epochs, as a restart without persistence does.
    pub fn lose(&mut self) {
        *self = Self::default();
    }

    /// Loses one key or one epoch, as an eviction does.
    pub fn delete(&mut self, key: &str) {
        self.hashes.remove(key);
        self.epochs.remove(key);
    }
}
