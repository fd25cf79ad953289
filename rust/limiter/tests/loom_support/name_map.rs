//! The replacement of `src/name_map.rs`: one lock for all entries.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use loom::sync::{Mutex, MutexGuard};

#[derive(Default)]
pub(crate) struct NameMap(Mutex<BTreeMap<u128, u32>>);

impl NameMap {
    pub(crate) fn get(&self, hash: u128) -> Option<u32> {
        self.lock().get(&hash).copied()
    }

    pub(crate) fn update<R>(
        &self,
        hash: u128,
        f: impl FnOnce(Option<u32>) -> (Option<u32>, R),
    ) -> R {
        let mut names = self.lock();
        let (index, result) = f(names.get(&hash).copied());
        if let Some(index) = index {
            names.insert(hash, index);
        }
        result
    }

    pub(crate) fn remove(&self, hash: u128, index: u32) {
        let mut names = self.lock();
        if names.get(&hash) == Some(&index) {
            names.remove(&hash);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u128, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
